"""Jobs of an earlier Snakemake that are to be deleted: how long they are waited for."""

import json
import os
import time
from types import SimpleNamespace

import pytest
from snakemake_executor_plugin_qsub import earlier
from snakemake_executor_plugin_qsub.commands import Answer
from snakemake_executor_plugin_qsub.earlier import Earlier
from snakemake_executor_plugin_qsub.request import Request
from snakemake_executor_plugin_qsub.status import Shown, State, Status
from snakemake_interface_common.exceptions import WorkflowError

SAID = Answer("", "qstat: cannot connect to server es1", 255)


@pytest.fixture
def scheduler(monkeypatch):
    """A scheduler of the test's answers, and no pauses."""
    monkeypatch.setattr(earlier, "PATIENCE", 0.0)
    monkeypatch.setattr(earlier, "CONFIRM", 0.0)
    monkeypatch.setattr(time, "sleep", lambda seconds: None)
    monkeypatch.setattr(earlier, "ask", lambda words: SAID)
    statuses = {}

    def query(records, ask):
        ask(["qstat"])
        return {each.job_id: statuses[each.job_id] for each in records if each.job_id in statuses}

    return SimpleNamespace(NAME="PBS", query=query, statuses=statuses, told=[])


def start(journal, scheduler):
    return Earlier(journal, scheduler, scheduler.told.append)


@pytest.mark.fault(
    "a deleted job of which the scheduler says nothing",
    outcome="one line after 3 min; a later start goes on",
)
def test_a_job_that_may_run_still_is_told_with_the_schedulers_words(
    journal, make_record, scheduler
):
    record = make_record()
    journal.started(record).write_text("1.es1\n")
    journal.withdraw(record)
    with pytest.raises(WorkflowError) as raised:
        start(journal, scheduler)
    told = str(raised.value)
    assert told.startswith("jobs 1.es1 are to be deleted, and PBS gives no answer that can be read")
    assert scheduler.told[0] == f"PBS gave no answer that can be read on 1.es1: {SAID.stderr}"
    assert SAID.stderr in told and str(journal.jobs) in told and "\n" not in told
    scheduler.statuses["1.es1"] = Status(State.UNLISTED)
    assert start(journal, scheduler).records == []
    assert list(journal.jobs.iterdir()) == []


@pytest.mark.fault("a deleted job that never ends to be shown", outcome="one line after 3 min")
def test_a_job_that_is_shown_still_is_one_line(journal, make_record, scheduler):
    journal.withdraw(make_record())
    scheduler.statuses["1.es1"] = Status(State.RUNNING)
    with pytest.raises(WorkflowError, match=r"^jobs 1\.es1 are to be deleted and still there"):
        start(journal, scheduler)


@pytest.mark.fault(
    "a deleted job of which nothing is heard, that has not started or is over its walltime",
    outcome="forgotten: it can do nothing any more",
)
@pytest.mark.parametrize("started", [True, False])
def test_a_withdrawn_job_that_can_do_nothing_is_forgotten(journal, make_record, scheduler, started):
    record = make_record(seconds=600)
    if started:
        journal.started(record).write_text("1.es1\n")
        os.utime(journal.started(record), (time.time() - 700, time.time() - 700))
    journal.withdraw(record)
    assert start(journal, scheduler).records == []
    assert list(journal.jobs.iterdir()) == []


@pytest.mark.fault(
    "a job that does not go, wanted again by a retry", outcome="not submitted beside it"
)
def test_a_job_that_does_not_go_keeps_others_of_its_files_back(journal, make_record, scheduler):
    key = json.dumps(["job"])
    make_record(key=key)
    scheduler.statuses["1.es1"] = Status(State.RUNNING)
    found = start(journal, scheduler)
    asked = Request("job", "job", {}, 60, 1, 1, 1, 0)
    for _ in range(2):
        with pytest.raises(WorkflowError, match="still there"):
            found.take(key, "another digest", asked)
    scheduler.statuses["1.es1"] = Status(State.UNLISTED)
    assert found.take(key, "another digest", asked) is None
    assert found.records == []


@pytest.mark.fault(
    "the ticket of a job in the queue is removed", outcome="written again at a take-over"
)
def test_a_job_that_is_taken_over_has_a_ticket(journal, make_record, scheduler):
    key = json.dumps(["job"])
    record = make_record(key=key)
    journal.ticket(record).unlink()
    scheduler.statuses["1.es1"] = Status(State.WAITING)
    asked = Request("job", "job", {}, 3600, 1, 1, 1, 0)
    assert start(journal, scheduler).take(key, "d", asked) == record
    assert journal.ticket(record).exists()


@pytest.mark.parametrize(
    ("nodes", "least", "suits"),
    [(4, 0, True), (2, 0, True), (1, 0, False), (5, 0, False), (4, 2, True), (4, 1, False)],
)
def test_a_job_that_waits_for_nodes_within_the_bounds_is_taken_over(
    journal, make_record, scheduler, asked, nodes, least, suits
):
    """Asked for are 2 to 4; that of an earlier Snakemake may have been its further try."""
    record = make_record(key=json.dumps(["job"]), nodes=nodes, least=least)
    scheduler.statuses["1.es1"] = Status(State.WAITING)
    found = start(journal, scheduler)
    scheduler.statuses["1.es1"] = Status(State.WAITING if suits else State.UNLISTED)
    wanted = Request("job", "job", {}, 3600, 4, 1, 1, 0, least=2)
    assert found.take(record.key, "d", wanted) == (record if suits else None)


def test_of_jobs_that_share_one_only_all_are_deleted_with_qdel(
    journal, make_record, scheduler, asked
):
    """One that has not started does nothing without its ticket."""
    records = [make_record(token, pack="pack", key=token) for token in ("a", "b")]
    scheduler.statuses["1.es1"] = Status(State.WAITING)
    journal.withdraw(records[0])
    assert [each.token for each in start(journal, scheduler).records] == ["b"]
    assert not journal.folder(records[0]).exists()
    assert ["qdel", "1.es1"] not in asked
    for record in (records[1], make_record("c", pack="pack", key="c")):
        journal.started(record).write_text("1.es1\n")
        journal.withdraw(record)
    with pytest.raises(WorkflowError, match="still there"):
        start(journal, scheduler)
    assert asked.count(["qdel", "1.es1"]) == 1


@pytest.fixture
def asked(monkeypatch):
    """What the scheduler's programs are asked; qdel answers as if it had done all."""
    words = []
    monkeypatch.setattr(earlier, "ask", lambda given: words.append(given) or Answer("", "", 0))
    return words


SHOWN = Shown("someone", "other")


@pytest.mark.fault(
    "a number in the journal that is another job's now", outcome="not deleted, and it is said"
)
def test_only_what_is_shown_to_be_ours_is_deleted(make_record, scheduler, asked):
    records = [make_record(f"job-{number}", f"{number}.es1") for number in range(5)]
    scheduler.statuses |= {
        "0.es1": Status(State.RUNNING),
        "1.es1": Status(State.UNLISTED, "its number is another job's: owner", shown=SHOWN),
        "2.es1": Status(State.WAITING),
        "3.es1": Status(State.ENDED, exit_code=0),
    }
    told = earlier.delete(records, scheduler)
    assert [words for words in asked if words[0] == "qdel"] == [["qdel", "0.es1", "2.es1"]]
    assert told == "PBS does not show whose jobs 4.es1 are: left alone"


def test_a_job_of_which_nothing_is_known_is_taken_over_when_the_scheduler_answers(
    journal, make_record, scheduler, asked
):
    record = make_record(key='["job"]')
    found = start(journal, scheduler)
    scheduler.statuses["1.es1"] = Status(State.UNLISTED, "another's", shown=SHOWN)
    assert found.take('["job"]', "d", Request("job", "job", {}, 3600, 1, 1, 1, 0)) is None
    assert scheduler.told[-1] == "job 1.es1 of an earlier Snakemake is gone: another's"
    assert not journal.folder(record).exists()
    assert not [words for words in asked if words[0] == "qdel"]


@pytest.mark.parametrize(
    ("dialect", "name"),
    [
        ("pbs", "qdel_many_one_finished"),
        ("pbs", "qdel_unknown"),
        ("pbs", "history_off_qdel_finished"),
        ("gridengine", "qdel_several"),
        ("gridengine", "qdel_twice"),
        ("gridengine", "qdel_finished"),
    ],
)
def test_that_a_job_has_ended_meanwhile_is_no_complaint(
    monkeypatch, pbs_answer, gridengine_answer, make_record, dialect, name
):
    answer = (pbs_answer if dialect == "pbs" else gridengine_answer)(name)
    monkeypatch.setattr(earlier, "ask", lambda words: answer)
    assert earlier.qdel([make_record()]) == ""


@pytest.mark.fault("a qdel that asks whether to delete", outcome="its question is told")
@pytest.mark.parametrize("question", ["Delete 2 jobs?\n", "really [y/N] nothing done", "Sure? "])
def test_a_qdel_that_asks_is_told(monkeypatch, make_record, question):
    monkeypatch.setattr(earlier, "ask", lambda words: Answer(question, "", 0))
    assert earlier.qdel([make_record()]) == question.splitlines()[0]


def test_what_keeps_a_job_from_being_deleted_is_told(monkeypatch, make_record):
    answer = Answer("", "qdel: Unknown Job Id 1.es1\nqdel: Unauthorized Request 2.es1\n", 159)
    monkeypatch.setattr(earlier, "ask", lambda words: answer)
    assert earlier.qdel([make_record()]) == "qdel: Unauthorized Request 2.es1"
