"""What a Snakemake that starts again finds, and who may start."""

import json
import os
import socket
import subprocess
import sys
import time

import pytest
from snakemake_executor_plugin_qsub.journal import Journal, Record
from snakemake_executor_plugin_qsub.lease import Lease
from snakemake_interface_common.exceptions import WorkflowError

HERE = socket.gethostname()


def test_a_job_in_the_queue_is_found_again(journal, make_record):
    record = make_record()
    assert journal.left_over() == [record]
    assert journal.ticket(record).exists()


def test_a_job_that_ended_meanwhile_is_not_taken_over(journal, make_record):
    record = make_record()
    journal.marker(record).write_text("0")
    assert journal.left_over() == []
    assert list(journal.jobs.iterdir()) == list(journal.markers.iterdir()) == []


def test_a_submission_whose_end_is_unknown_loses_its_ticket(journal):
    """Killed while qsub ran: if the job is in the queue, it will find nothing to do."""
    record = journal.open(Record("train-1", "k", "d", "log", 60))
    assert journal.left_over() == []
    assert not journal.ticket(record).exists()


@pytest.mark.parametrize("content", ["", "{", "[]", '{"token": "x"}', "null", '{"odd": 1}'])
def test_a_damaged_record_is_no_job(journal, make_record, content):
    record = make_record()
    (journal.folder(record) / "record.json").write_text(content)
    assert journal.left_over() == []
    assert not journal.ticket(record).exists()


def test_a_closed_job_leaves_nothing(journal, make_record):
    record = make_record()
    journal.marker(record).write_text("1")
    journal.close(record)
    assert list(journal.jobs.iterdir()) == list(journal.markers.iterdir()) == []


def test_a_configuration_is_kept_once(journal):
    path = journal.keep_config('{"a": 1}')
    assert json.loads(path.read_text()) == {"a": 1}
    assert journal.keep_config('{"a": 1}') == path
    assert journal.keep_config('{"a": 2}') != path


def lease_of(path, host, process, age=0.0):
    path.write_text(json.dumps({"host": host, "process": process}))
    os.utime(path, (time.time() - age, time.time() - age))


def finished_process():
    process = subprocess.Popen([sys.executable, "-c", ""])
    process.wait()
    return process.pid


def test_a_second_snakemake_is_refused_and_told_who_is_at_work(tmp_path):
    first = Lease(tmp_path / "lease")
    first.acquire()
    second = Lease(tmp_path / "lease")
    with pytest.raises(
        WorkflowError, match=f"another Snakemake is at work .* process {os.getpid()} on {HERE}"
    ):
        second.acquire()
    first.release()
    second.acquire()
    second.release()
    assert list(tmp_path.iterdir()) == []


def test_a_killed_snakemake_of_this_host_is_succeeded_at_once(tmp_path):
    lease_of(tmp_path / "lease", HERE, finished_process())
    Lease(tmp_path / "lease", renew=0.1).acquire()


@pytest.mark.parametrize(("age", "alive"), [(0, True), (200, True), (300, False)])
def test_on_another_host_the_last_renewal_tells(tmp_path, age, alive):
    lease_of(tmp_path / "lease", "elsewhere", os.getpid(), age)
    lease = Lease(tmp_path / "lease", renew=0.1, stale=240)
    if alive:
        with pytest.raises(WorkflowError, match="on elsewhere"):
            lease.acquire()
    else:
        lease.acquire()


@pytest.mark.parametrize("content", ["", "{", "[]", '{"host": 3}'])
def test_a_damaged_lease_is_taken_over_when_it_is_old(tmp_path, content):
    path = tmp_path / "lease"
    path.write_text(content)
    os.utime(path, (1, 1))
    Lease(path, renew=0.1).acquire()
    assert json.loads(path.read_text())["process"] == os.getpid()


def test_a_lease_is_renewed_and_its_loss_is_noticed(tmp_path):
    lease = Lease(tmp_path / "lease", renew=0.05)
    lease.acquire()
    os.utime(lease.path, (1, 1))
    deadline = time.time() + 10
    while lease.path.stat().st_mtime < 2 and time.time() < deadline:
        time.sleep(0.01)
    assert lease.path.stat().st_mtime > 2
    lease_of(lease.path, "elsewhere", 1)
    while not lease.lost and time.time() < deadline:
        time.sleep(0.01)
    assert lease.lost
    lease.release()
    assert lease.path.exists(), "it is another's now"


def test_journals_of_two_directories_know_nothing_of_each_other(tmp_path, make_record):
    make_record()
    assert Journal(tmp_path / "other").left_over() == []
