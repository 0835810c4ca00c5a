"""Who may start, and what is made of a lease that is none."""

import json
import os
import socket
import subprocess
import sys
import time

import pytest
from snakemake_executor_plugin_qsub import files
from snakemake_executor_plugin_qsub.lease import Lease, started
from snakemake_interface_common.exceptions import WorkflowError

HERE = socket.gethostname()
AGES = {"an old": 3600, "a fresh": 0, "a future": -3600}


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


def test_an_old_lease_of_this_host_is_free_though_another_process_has_its_number(tmp_path):
    lease_of(tmp_path / "lease", HERE, 1, age=3600)
    Lease(tmp_path / "lease", renew=0.1).acquire()


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


def no_links(*_, **__):
    raise PermissionError(1, "Operation not permitted")


@pytest.mark.fault(
    "no hard links on the file system", outcome="a lease all the same, for one driver"
)
def test_without_hard_links_there_is_one_lease_all_the_same(tmp_path, monkeypatch):
    monkeypatch.setattr(os, "link", no_links)
    first, second = Lease(tmp_path / "lease"), Lease(tmp_path / "lease")
    first.acquire()
    with pytest.raises(WorkflowError, match=f"process {os.getpid()} on {HERE}"):
        second.acquire()
    first.release()
    assert list(tmp_path.iterdir()) == []


DAMAGED = {
    "empty": b"",
    "truncated": b'{"host": "elsewhere", "proc',
    "garbage": b"\x9c\xff garbage",
    "NUL bytes": b"\0" * 64,
    "a list": b"[]",
    "without process": b'{"host": "elsewhere"}',
    "with words for numbers": b'{"host": 3, "process": "one"}',
    "nested": b"[" * 100_000,
    "very large": b" " * 2_000_000 + b"{}",
}


@pytest.mark.fault("a damaged lease", outcome="nobody's: taken over, with a word")
@pytest.mark.parametrize("age", AGES.values(), ids=AGES)
@pytest.mark.parametrize("content", DAMAGED.values(), ids=DAMAGED)
def test_a_damaged_lease_is_taken_over_with_a_word(tmp_path, content, age):
    path, told = tmp_path / "lease", []
    path.write_bytes(content)
    os.utime(path, (time.time() - age, time.time() - age))
    lease = Lease(path, renew=0.05, tell=told.append)
    lease.acquire()
    assert json.loads(path.read_text())["process"] == os.getpid()
    assert told == [f"{path} is damaged, and so nobody's: taking it over"]
    lease.release()


@pytest.mark.fault("a pipe in the lease's place", outcome="nobody's: taken over, with a word")
def test_a_pipe_in_the_place_of_the_lease_is_taken_over(tmp_path):
    os.mkfifo(tmp_path / "lease")
    lease = Lease(tmp_path / "lease", renew=0.05)
    lease.acquire()
    assert not lease.lost
    lease.release()


@pytest.mark.fault("a lease that is being written", outcome="waited for, then respected")
def test_a_lease_that_is_being_written_is_respected(tmp_path, monkeypatch):
    path = tmp_path / "lease"
    path.touch()
    monkeypatch.setattr(time, "sleep", lambda seconds: lease_of(path, "elsewhere", 1))
    with pytest.raises(WorkflowError, match="process 1 on elsewhere"):
        Lease(path).acquire()


@pytest.mark.fault("a folder in the lease's place", outcome="refused in one line")
def test_a_folder_in_the_place_of_the_lease_is_refused_in_one_line(tmp_path):
    (tmp_path / "lease").mkdir()
    with pytest.raises(WorkflowError, match=r"^Is a directory: .*/lease, which .* remove what is"):
        Lease(tmp_path / "lease").acquire()
    assert (tmp_path / "lease").is_dir() and len(list(tmp_path.iterdir())) == 1


def fail(number):
    def failing(*_, **__):
        raise OSError(number, os.strerror(number))

    return failing


@pytest.mark.fault(
    "a lease that cannot be made or read (rights, full disk, I/O errors)",
    outcome="refused in one line",
)
@pytest.mark.parametrize("exists", [True, False])
@pytest.mark.parametrize("number", [5, 13, 28, 30, 116])
def test_a_lease_that_cannot_be_had_is_one_line(tmp_path, monkeypatch, number, exists):
    path = tmp_path / "lease"
    if exists:
        lease_of(path, "elsewhere", 1)
        monkeypatch.setattr(files, "read", fail(number))
    else:
        monkeypatch.setattr(os, "link", fail(number))
        monkeypatch.setattr("pathlib.Path.open", fail(number))
    with pytest.raises(WorkflowError, match=f"^{os.strerror(number)}: {path}") as raised:
        Lease(path).acquire()
    assert "\n" not in str(raised.value)


@pytest.mark.fault("a lease from the future", outcome="free after 4 minutes, as one from the past")
@pytest.mark.parametrize(("ahead", "alive"), [(200, True), (300, False), (10**8, False)])
def test_a_lease_from_the_future_is_not_for_ever(tmp_path, ahead, alive):
    lease_of(tmp_path / "lease", "elsewhere", 1, age=-ahead)
    lease = Lease(tmp_path / "lease", renew=0.05, stale=240)
    if alive:
        with pytest.raises(WorkflowError, match="on elsewhere"):
            lease.acquire()
    else:
        lease.acquire()
        lease.release()


@pytest.mark.fault("a killed driver whose number another process has", outcome="succeeded at once")
def test_another_process_of_the_same_number_does_not_hold_the_lease(tmp_path):
    path = tmp_path / "lease"
    path.write_text(json.dumps({"host": HERE, "process": os.getppid(), "started": "1"}))
    lease = Lease(path, renew=0.05)
    lease.acquire()
    lease.release()


def test_a_running_process_holds_the_lease(tmp_path):
    process = os.getppid()
    holder = {"host": HERE, "process": process, "started": started(process)}
    (tmp_path / "lease").write_text(json.dumps(holder))
    with pytest.raises(WorkflowError, match=f"process {process} on {HERE}"):
        Lease(tmp_path / "lease").acquire()


@pytest.mark.parametrize("process", [10**30, 4194304 + 1, 2.5])
def test_a_number_that_no_process_has_holds_no_lease(tmp_path, process):
    lease_of(tmp_path / "lease", HERE, process)
    lease = Lease(tmp_path / "lease", renew=0.05)
    lease.acquire()
    lease.release()


@pytest.mark.fault("a killed driver that is a zombie still", outcome="succeeded at once")
def test_a_zombie_does_not_hold_the_lease(tmp_path):
    process = subprocess.Popen(["true"])
    os.waitid(os.P_PID, process.pid, os.WEXITED | os.WNOWAIT)
    lease_of(tmp_path / "lease", HERE, process.pid)
    lease = Lease(tmp_path / "lease", renew=0.05)
    lease.acquire()
    lease.release()
    process.wait()


@pytest.mark.fault("a lease that is removed or emptied during the work", outcome="written anew")
@pytest.mark.parametrize("damage", [lambda path: path.unlink(), lambda path: path.write_text("")])
def test_a_lease_that_is_lost_to_nobody_is_written_anew(tmp_path, damage):
    lease = Lease(tmp_path / "lease", renew=0.05)
    lease.acquire()
    whole = lease.path.read_text()
    damage(lease.path)
    deadline = time.time() + 10
    while not (lease.path.exists() and lease.path.read_text() == whole):
        assert not lease.lost and time.time() < deadline
        time.sleep(0.01)
    lease.release()
    assert list(tmp_path.iterdir()) == []
