"""What a Snakemake that starts again finds."""

import time

import pytest
from snakemake_executor_plugin_qsub.journal import Journal, Record


def test_a_job_in_the_queue_is_found_again(journal, make_record):
    record = make_record()
    assert journal.left_over(time.time() + 1) == [record]
    assert journal.ticket(record).exists()


def test_a_job_that_ended_meanwhile_is_not_taken_over(journal, make_record):
    record = make_record()
    journal.marker(record).write_text("0")
    assert journal.left_over(time.time() + 1) == []
    assert list(journal.jobs.iterdir()) == list(journal.markers.iterdir()) == []


def test_a_job_that_ended_after_snakemake_had_looked_at_the_files_is_found(journal, make_record):
    record = make_record()
    journal.marker(record).write_text("0")
    assert journal.left_over(time.time() - 60) == [record]


def test_a_submission_whose_end_is_unknown_loses_its_ticket(journal):
    """Killed while qsub ran: if the job is in the queue, it will find nothing to do."""
    record = journal.open(Record("train-1", "k", "d", "log", 60))
    assert journal.left_over(time.time() + 1) == []
    assert not journal.ticket(record).exists()


@pytest.mark.parametrize("content", ["", "{", "[]", '{"token": "x"}', "null", '{"odd": 1}'])
def test_a_damaged_record_is_no_job(journal, make_record, content):
    record = make_record()
    (journal.folder(record) / "record.json").write_text(content)
    assert journal.left_over(time.time() + 1) == []
    assert not journal.ticket(record).exists()


def test_a_closed_job_leaves_nothing(journal, make_record):
    record = make_record()
    journal.marker(record).write_text("1")
    journal.close(record)
    assert list(journal.jobs.iterdir()) == list(journal.markers.iterdir()) == []


def test_a_submission_whose_end_is_unknown_is_found_if_it_has_started(journal):
    """Killed while qsub ran, and the job was quicker."""
    record = journal.open(Record("train-1", "k", "d", "log", 60))
    journal.started(record).write_text("7.es1\n")
    (found,) = journal.left_over(time.time() + 1)
    assert (found.token, found.job_id) == ("train-1", "7.es1")
    assert journal.ticket(record).exists(), "the scheduler may start it again"


def test_a_job_that_was_to_be_deleted_is_remembered_as_that(journal, make_record):
    record = make_record()
    journal.withdraw(record)
    assert not journal.ticket(record).exists()
    assert [each.withdrawn for each in journal.left_over(time.time() + 1)] == [True]


def test_configurations_are_kept_as_they_are(journal, tmp_path):
    file = tmp_path / "config.yaml"
    file.write_text("a: {1: one}\n")
    (copy,) = journal.keep_configs([file])
    assert copy.suffix == ".yaml"
    file.write_text("a: {2: two}\n")
    (other,) = journal.keep_configs([file])
    assert copy.read_text() == "a: {1: one}\n" and other != copy


@pytest.mark.fault("the copy of a configuration is damaged", outcome="written again")
@pytest.mark.parametrize("damage", ["", "a: 1", "\0\0\0\0\0"])
def test_a_damaged_copy_of_a_configuration_is_written_again(journal, tmp_path, damage):
    (tmp_path / "config.yaml").write_text("a: 1\n")
    (copy,) = journal.keep_configs([tmp_path / "config.yaml"])
    copy.write_text(damage)
    assert journal.keep_configs([tmp_path / "config.yaml"]) == [copy]
    assert copy.read_text() == "a: 1\n"


def test_journals_of_two_directories_know_nothing_of_each_other(tmp_path, make_record):
    make_record()
    assert Journal(tmp_path / "other").left_over(time.time() + 1) == []
