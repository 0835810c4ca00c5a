"""What a Snakemake that starts again finds."""

import json
import os
import time

import pytest
from snakemake_executor_plugin_qsub import files
from snakemake_executor_plugin_qsub.journal import Journal
from snakemake_executor_plugin_qsub.left_over import left_over
from snakemake_executor_plugin_qsub.record import Record


def test_a_job_in_the_queue_is_found_again(journal, make_record):
    record = make_record()
    assert left_over(journal, time.time() + 1) == [record]
    assert journal.ticket(record).exists()


def test_a_job_that_ended_meanwhile_is_not_taken_over(journal, make_record):
    record = make_record()
    journal.marker(record).write_text(f"{record.token} ended with 0\n")
    assert left_over(journal, time.time() + 1) == []
    assert list(journal.jobs.iterdir()) == list(journal.markers.iterdir()) == []


def test_a_job_that_ended_after_snakemake_had_looked_at_the_files_is_found(journal, make_record):
    record = make_record()
    journal.marker(record).write_text(f"{record.token} ended with 0\n")
    assert left_over(journal, time.time() - 60) == [record]


def test_a_submission_whose_end_is_unknown_loses_its_ticket(journal):
    """Killed while qsub ran: if the job is in the queue, it will find nothing to do."""
    record = journal.open(Record("train-1", "k", "d", "log", 60))
    assert left_over(journal, time.time() + 1) == []
    assert not journal.ticket(record).exists()


WHOLE = {
    "token": "train-1",
    "key": "[]",
    "digest": "d",
    "log": "l",
    "seconds": 60,
    "job_id": "1.es1",
}
RECORDS = {
    "empty": b"",
    "truncated": json.dumps(WHOLE).encode()[:50],
    "garbage": b"\x9c\xff",
    "NUL bytes": b"\0" * 100,
    "a list": b"[]",
    "nothing": b"null",
    "too little": b'{"token": "train-1"}',
    "another field": json.dumps({**WHOLE, "odd": 1}).encode(),
    "another job's": json.dumps({**WHOLE, "token": "train-2"}).encode(),
    "a number for an id": json.dumps({**WHOLE, "job_id": 1}).encode(),
    "words for a number": json.dumps({**WHOLE, "seconds": "60"}).encode(),
    "an option for an id": json.dumps({**WHOLE, "job_id": "-W force"}).encode(),
    "not a number": json.dumps({**WHOLE, "since": float("nan")}).encode(),
    "a time without end": json.dumps({**WHOLE, "until": 1e300}).encode(),
    "a walltime without end": json.dumps({**WHOLE, "seconds": 10**400}).encode(),
    "nested": b"[" * 100_000,
}


@pytest.mark.fault(
    "a damaged record of a job that has not started", outcome="the job will do nothing"
)
@pytest.mark.parametrize("content", RECORDS.values(), ids=RECORDS)
def test_a_job_of_a_damaged_record_loses_its_ticket(journal, make_record, content):
    record = make_record()
    (journal.folder(record) / "record.json").write_bytes(content)
    assert left_over(journal, time.time() + 1) == []
    assert not journal.ticket(record).exists()
    assert [path.name for path in journal.damaged] == ["record.json"]


@pytest.mark.fault(
    "a damaged record of a job that runs", outcome="the job is deleted and seen gone"
)
@pytest.mark.parametrize("content", RECORDS.values(), ids=RECORDS)
def test_a_job_of_a_damaged_record_that_has_started_is_to_be_deleted(journal, make_record, content):
    record = make_record()
    journal.started(record).write_text("1.es1\n")
    (journal.folder(record) / "record.json").write_bytes(content)
    (found,) = left_over(journal, time.time() + 1)
    assert (found.token, found.job_id, found.withdrawn) == ("train-1", "1.es1", True)


@pytest.mark.fault("a folder in the place of a record", outcome="as a damaged record")
@pytest.mark.parametrize("has_started", [True, False])
def test_a_folder_is_no_record(journal, make_record, has_started):
    record = make_record()
    (journal.folder(record) / "record.json").unlink()
    (journal.folder(record) / "record.json").mkdir()
    if has_started:
        journal.started(record).write_text("1.es1\n")
    assert [each.withdrawn for each in left_over(journal, time.time() + 1)] == [True] * has_started
    assert bool(list(journal.jobs.iterdir())) == has_started


@pytest.mark.fault(
    "a record that cannot be read (rights, I/O error)", outcome="refused in one line"
)
def test_a_record_that_cannot_be_read_is_not_taken_for_none(journal, make_record, monkeypatch):
    record = make_record()
    file = journal.folder(record) / "record.json"

    def read(path, most=0):
        raise PermissionError(13, "Permission denied", str(path))

    monkeypatch.setattr(files, "read", read)
    with pytest.raises(PermissionError) as raised:
        left_over(journal, time.time() + 1)
    assert raised.value.filename == str(file)
    assert journal.ticket(record).exists() and file.exists()


@pytest.mark.fault("strange files in the journal's folders", outcome="removed")
@pytest.mark.parametrize("where", ["jobs", "ended"])
@pytest.mark.parametrize("make", [os.mkdir, os.mkfifo, lambda path: path.touch()], ids="dpf")
def test_what_is_none_of_ours_is_removed(journal, make_record, where, make):
    record = make_record()
    make(journal.root / where / "odd")
    assert left_over(journal, time.time() + 1) == [record]
    assert not (journal.root / where / "odd").exists()


STARTS = {
    "empty": "",
    "cut off": "1",
    "garbage": "no id\n",
    "NUL bytes": "\0\0",
    "two": "1.es1\n2.es1\n",
}


@pytest.mark.fault("a damaged sign that a job has started", outcome="the job will do nothing")
@pytest.mark.parametrize("content", STARTS.values(), ids=STARTS)
def test_a_damaged_start_is_none(journal, content):
    record = journal.open(Record("train-1", "k", "d", "log", 60))
    journal.started(record).write_text(content)
    assert journal.claim(record) is None
    assert not journal.ticket(record).exists()


@pytest.mark.fault("a folder in the place of a ticket", outcome="removed as a ticket is")
def test_a_folder_in_the_place_of_a_ticket_is_removed(journal, make_record):
    record = make_record()
    journal.ticket(record).unlink()
    journal.ticket(record).mkdir()
    journal.withdraw(record)
    assert not journal.ticket(record).exists()


@pytest.mark.fault("a marker from the future", outcome="the job ended before this start")
@pytest.mark.parametrize(
    ("ahead", "is_found"), [(0, True), (30, True), (3600, False), (10**9, False)]
)
def test_a_marker_from_the_future_tells_nothing_of_late(journal, make_record, ahead, is_found):
    record = make_record()
    journal.marker(record).write_text("train-1 ended with 1\n")
    at = time.time() + ahead
    os.utime(journal.marker(record), (at, at))
    assert bool(left_over(journal, time.time() - 60)) == is_found


def full(*_, **__):
    raise OSError(28, "No space left on device")


@pytest.mark.fault(
    "a full disk when a job is recorded", outcome="one line with the file, nothing left"
)
def test_a_full_disk_leaves_no_half_of_a_record(journal, monkeypatch):
    monkeypatch.setattr(os, "fsync", full)
    with pytest.raises(OSError, match=r"No space left on device: '.*record.json'"):
        journal.open(Record("train-1", "k", "d", "log", 60))
    assert list(journal.jobs.iterdir()) == []


@pytest.mark.fault(
    "a full disk when a job is to be deleted", outcome="its ticket goes all the same"
)
def test_a_full_disk_does_not_keep_a_job_from_being_withdrawn(journal, make_record, monkeypatch):
    record = make_record()
    monkeypatch.setattr(os, "fsync", full)
    with pytest.raises(OSError, match="No space left"):
        journal.withdraw(record)
    assert not journal.ticket(record).exists()
    assert left_over(journal, time.time() + 1) == [record], "its old record is whole"


@pytest.mark.fault(
    "a journal that cannot be written any more", outcome="ends of jobs count all the same"
)
def test_a_job_ends_though_its_record_cannot_be_removed(journal, make_record, monkeypatch):
    record = make_record()
    for name in ("unlink", "rmdir"):
        monkeypatch.setattr(os, name, full)
    journal.close(record)
    monkeypatch.undo()
    journal.close(record)
    assert list(journal.jobs.iterdir()) == []


def test_a_closed_job_leaves_nothing(journal, make_record):
    record = make_record()
    journal.marker(record).write_text("1")
    journal.close(record)
    assert list(journal.jobs.iterdir()) == list(journal.markers.iterdir()) == []


def test_a_submission_whose_end_is_unknown_is_found_if_it_has_started(journal):
    """Killed while qsub ran, and the job was quicker."""
    record = journal.open(Record("train-1", "k", "d", "log", 60))
    journal.started(record).write_text("7.es1\n")
    (found,) = left_over(journal, time.time() + 1)
    assert (found.token, found.job_id) == ("train-1", "7.es1")
    assert journal.ticket(record).exists(), "the scheduler may start it again"


def test_a_job_that_was_to_be_deleted_is_remembered_as_that(journal, make_record):
    record = make_record()
    journal.withdraw(record)
    assert not journal.ticket(record).exists()
    assert [each.withdrawn for each in left_over(journal, time.time() + 1)] == [True]


def test_configurations_are_kept_as_they_are(journal, tmp_path):
    file = tmp_path / "config.yaml"
    file.write_text("a: {1: one}\n")
    (copy,) = journal.configs.keep([file])
    assert copy.suffix == ".yaml"
    file.write_text("a: {2: two}\n")
    (other,) = journal.configs.keep([file])
    assert copy.read_text() == "a: {1: one}\n" and other != copy


@pytest.mark.fault("the copy of a configuration is damaged", outcome="written again")
@pytest.mark.parametrize("damage", ["", "a: 1", "\0\0\0\0\0"])
def test_a_damaged_copy_of_a_configuration_is_written_again(journal, tmp_path, damage):
    (tmp_path / "config.yaml").write_text("a: 1\n")
    (copy,) = journal.configs.keep([tmp_path / "config.yaml"])
    copy.write_text(damage)
    assert journal.configs.keep([tmp_path / "config.yaml"]) == [copy]
    assert copy.read_text() == "a: 1\n"


def test_journals_of_two_directories_know_nothing_of_each_other(tmp_path, make_record):
    make_record()
    assert left_over(Journal(tmp_path / "other"), time.time() + 1) == []
