"""What is concluded from markers and answers, and what is not."""

import os
import shutil
from types import SimpleNamespace

import pytest
from snakemake_executor_plugin_qsub import files
from snakemake_executor_plugin_qsub.commands import Answer
from snakemake_executor_plugin_qsub.judge import Outcome
from snakemake_executor_plugin_qsub.left_over import left_over
from snakemake_executor_plugin_qsub.status import AT_WALLTIME, DELETED, State, Status
from snakemake_executor_plugin_qsub.watch import Watch

RUNNING, GONE = Status(State.RUNNING), Status(State.UNLISTED)


class Scheduler:
    """A watch over one job, with a clock and answers that the test sets."""

    def __init__(self, journal, make_record, **changes):
        self.now, self.answer, self.asked, self.warnings = 0.0, {}, 0, []
        self.explanation = Status(State.UNLISTED)
        dialect = SimpleNamespace(
            NAME="PBS", query=self.query, explain=lambda record, ask: self.explanation
        )
        self.said = Answer("", "qstat: cannot connect to server es1", 255)
        self.watch = Watch(
            dialect,
            journal,
            poll=30,
            grace=60,
            warn=self.warnings.append,
            ask=lambda words: self.said,
            clock=lambda: self.now,
        )
        self.journal, self.record = journal, make_record(**changes)
        self.watch.add(self.record, walltimes=3)

    def query(self, records, ask):
        self.asked += 1
        ask(["qstat"])
        job_ids = [record.job_id for record in records]
        return {name: status for name, status in self.answer.items() if name in job_ids}

    def says(self, status):
        self.answer = {} if status is None else {"1.es1": status}

    def after(self, seconds):
        """The verdict after so many seconds, with a look every five."""
        for _ in range(max(1, round(seconds / 5))):
            self.now += 5 if seconds else 0
            verdict = self.watch.look()[self.record.token]
            if verdict.outcome is not Outcome.WAIT:
                break
        return verdict

    def leaves(self, exit_code, carry_on=False):
        text = f"{self.record.token} ended with {exit_code}\n"
        self.journal.marker(self.record).write_text(text)
        if carry_on:
            self.journal.carry_on(self.record).touch()


@pytest.fixture
def scheduler(journal, make_record):
    return Scheduler(journal, make_record)


def test_jobs_that_share_one_of_the_schedulers_are_one_in_its_queue(scheduler, make_record):
    for token in ("a", "b"):
        scheduler.watch.add(make_record(token, pack="p"), walltimes=3)
    assert scheduler.watch.in_queue() == 2


def test_an_end_is_seen_without_asking_the_scheduler(scheduler):
    scheduler.leaves(0)
    assert scheduler.after(0).outcome is Outcome.SUCCEEDED
    assert scheduler.asked == 0


def test_the_scheduler_is_asked_less_and_less_while_nothing_changes(scheduler):
    scheduler.says(RUNNING)
    assert scheduler.after(600).outcome is Outcome.WAIT
    assert scheduler.asked == 6, "after 30, 90, 210, 330, 450 and 570 s, and at most every 120 s"


@pytest.mark.parametrize("gone", [GONE, Status(State.ENDED, exit_code=1)])
def test_a_job_that_is_gone_has_a_grace_period(scheduler, gone):
    scheduler.says(gone)
    assert scheduler.after(30).outcome is Outcome.WAIT
    assert scheduler.after(55).outcome is Outcome.WAIT
    assert scheduler.after(5).outcome is Outcome.FAILED


def test_one_wrong_answer_ends_no_job(scheduler):
    """It is asked about a second time before it is given up."""
    scheduler.says(GONE)
    scheduler.after(35)
    scheduler.watch.poll = scheduler.watch.interval = 3600
    scheduler.watch.next_query = 3600
    scheduler.says(RUNNING)
    assert scheduler.after(120).outcome is Outcome.WAIT


def test_silence_confirms_nothing(scheduler):
    scheduler.says(GONE)
    scheduler.after(35)
    scheduler.says(None)
    assert scheduler.after(600).outcome is Outcome.WAIT
    scheduler.says(GONE)
    assert scheduler.after(130).outcome is Outcome.FAILED


def test_a_late_marker_wins_over_the_schedulers_word(scheduler):
    scheduler.says(GONE)
    assert scheduler.after(60).outcome is Outcome.WAIT
    scheduler.leaves(0)
    assert scheduler.after(5).outcome is Outcome.SUCCEEDED


def test_a_job_that_is_listed_again_was_never_gone(scheduler):
    scheduler.says(GONE)
    scheduler.after(35)
    scheduler.says(RUNNING)
    assert scheduler.after(600).outcome is Outcome.WAIT


UNREAD = "PBS gave no answer that can be read on 1.es1: qstat: cannot connect to server es1"


@pytest.mark.fault("no answer of the scheduler", outcome="told with its words, again every 10 min")
def test_nothing_is_concluded_from_no_answer(scheduler):
    scheduler.says(RUNNING)
    scheduler.after(60)
    scheduler.says(None)
    assert scheduler.after(300).outcome is Outcome.WAIT
    assert scheduler.warnings == [f"{UNREAD}; asking again, jobs are left alone"]
    scheduler.after(900)
    assert scheduler.warnings[1:] == scheduler.warnings[:1], "again after ten minutes"
    scheduler.says(RUNNING)
    scheduler.after(120)
    assert scheduler.warnings[2:] == ["PBS answers again"]
    assert not scheduler.watch.gave_up


@pytest.mark.fault("no answer of the scheduler for an hour", outcome="given up, jobs left alone")
def test_after_an_hour_without_an_answer_there_is_no_use_in_asking_on(scheduler):
    scheduler.says(None)
    assert scheduler.after(3600).outcome is Outcome.WAIT
    assert not scheduler.watch.gave_up
    assert scheduler.after(240).outcome is Outcome.WAIT, "it has not failed"
    assert scheduler.watch.gave_up.startswith(f"{UNREAD}, and so it has been for 3600 s")
    assert "start Snakemake again, which takes them over" in scheduler.watch.gave_up
    assert "\n" not in scheduler.watch.gave_up


def test_nothing_is_given_up_when_all_jobs_have_ended(scheduler):
    scheduler.says(None)
    scheduler.after(4000)
    assert scheduler.watch.gave_up
    scheduler.watch.drop(scheduler.record.token)
    scheduler.watch.add(scheduler.record, walltimes=1)
    assert not scheduler.watch.gave_up


def test_an_answer_within_the_hour_begins_another(scheduler):
    for _ in range(3):
        scheduler.says(None)
        scheduler.after(3000)
        scheduler.says(RUNNING)
        scheduler.after(240)
    assert not scheduler.watch.gave_up


@pytest.mark.fault("answers that never speak of one job", outcome="given up after an hour as well")
def test_a_job_of_which_no_answer_speaks_is_not_waited_for_without_end(scheduler, make_record):
    scheduler.watch.add(make_record("other-1", "2.es1"), walltimes=1)
    scheduler.says(RUNNING)
    scheduler.after(4000)
    assert scheduler.watch.gave_up.startswith("PBS gave no answer that can be read on 2.es1: ")


def test_a_word_on_another_job_does_not_end_the_silence_on_one(scheduler, make_record):
    """Nor is it told anew for each failure of another, of which the scheduler is asked at once."""
    scheduler.watch.add(make_record("other-1", "2.es1"), walltimes=1)
    scheduler.says(RUNNING)
    scheduler.after(60)
    scheduler.leaves(3)
    scheduler.after(0)
    assert len(scheduler.warnings) == 1


@pytest.mark.parametrize("job_ended", [True, False])
@pytest.mark.fault(
    "the journal's folder cannot be read", outcome="told; nothing concluded meanwhile"
)
def test_where_ends_cannot_be_seen_nothing_is_concluded(scheduler, monkeypatch, job_ended):
    scheduler.says(GONE)
    markers = scheduler.journal.markers
    with monkeypatch.context() as patch:
        patch.setattr(type(scheduler.journal), "ended", lambda self: markers.joinpath("x").stat())
        assert scheduler.after(1200).outcome is Outcome.WAIT
        assert len(scheduler.warnings) == 2, "again every ten minutes"
        assert scheduler.warnings[0].startswith("the ends of jobs cannot be seen: No such file")
        assert not scheduler.watch.gave_up
    if job_ended:
        scheduler.leaves(0)
    expected = Outcome.SUCCEEDED if job_ended else Outcome.FAILED
    assert scheduler.after(300).outcome is expected
    assert scheduler.warnings[2] == "the ends of jobs can be seen again"


def test_but_not_without_end(scheduler, monkeypatch):
    monkeypatch.setattr(type(scheduler.journal), "ended", lambda self: (self.root / "x").stat())
    assert scheduler.after(3700).outcome is Outcome.WAIT
    assert "and so it has been for 3600 s" in scheduler.watch.gave_up


@pytest.mark.fault("the journal's folder is removed during the work", outcome="made anew, told")
@pytest.mark.parametrize("gone", ["", "jobs", "ended", "output", "config"])
def test_a_journal_that_vanishes_is_made_anew(scheduler, gone, tmp_path):
    journal, record = scheduler.journal, scheduler.record
    (tmp_path / "config.yaml").write_text("a: 1\n")
    (copy,) = journal.configs.keep([tmp_path / "config.yaml"])
    scheduler.says(RUNNING)
    shutil.rmtree(journal.root / gone)
    assert scheduler.after(60).outcome is Outcome.WAIT
    assert scheduler.warnings == [f"{journal.root} had vanished in part or whole: it is made anew"]
    assert journal.ticket(record).exists() and left_over(journal, 0) == [record]
    assert copy.read_text() == "a: 1\n"
    scheduler.leaves(0)
    assert scheduler.after(0).outcome is Outcome.SUCCEEDED


@pytest.mark.parametrize(
    "words", ["on hold (u)", "Can Never Run: Not enough total nodes available"]
)
def test_a_stuck_job_is_told_once_in_the_schedulers_words(scheduler, words):
    scheduler.says(Status(State.STUCK, words))
    assert scheduler.after(600).outcome is Outcome.WAIT
    assert scheduler.warnings == [f"job 1.es1 (train-1) does not start: {words}"]


def test_a_job_that_runs_and_is_being_deleted_does_not_go_on(scheduler):
    scheduler.says(Status(State.RUNNING))
    scheduler.after(60)
    scheduler.says(Status(State.STUCK, "being deleted (dr)"))
    assert scheduler.after(600).outcome is Outcome.WAIT
    assert scheduler.warnings == ["job 1.es1 (train-1) does not go on: being deleted (dr)"]


@pytest.mark.fault("a job shown running long after its walltime (a dead node)", outcome="told once")
def test_a_job_that_runs_on_after_its_walltime_is_told_once(scheduler):
    scheduler.says(RUNNING)
    assert scheduler.after(3600 + 600).outcome is Outcome.WAIT
    assert scheduler.warnings == []
    assert scheduler.after(1200).outcome is Outcome.WAIT
    (told,) = scheduler.warnings
    assert told.startswith("job 1.es1 (train-1) should have ended: PBS shows it running after its")
    scheduler.says(Status(State.WAITING))
    scheduler.after(300)
    scheduler.says(RUNNING)
    scheduler.after(3600)
    assert scheduler.warnings[1:] == [
        "job 1.es1 (train-1) had started, and PBS put it back into the queue"
    ]


def test_a_job_killed_at_its_walltime_is_told_so(scheduler):
    scheduler.says(Status(State.ENDED, "and exceeded resource walltime", AT_WALLTIME, -29))
    reason = scheduler.after(600).reason
    assert reason == "killed at its walltime of 01:00:00 (and exceeded resource walltime)"


def test_a_failure_with_an_exit_code_is_told_at_once_with_the_schedulers_reason(scheduler):
    scheduler.says(Status(State.ENDED, "and terminated", DELETED, 271))
    scheduler.leaves(143)
    verdict = scheduler.after(0)
    assert verdict.outcome is Outcome.FAILED
    assert verdict.reason == f"exit code 143: {DELETED} (and terminated)"


def test_a_failure_of_a_job_that_is_gone_is_explained_by_the_accounting(scheduler):
    """Grid Engine may kill one node of a job first, and its script on the other sees a failure."""
    scheduler.explanation = Status(State.ENDED, "failed 37", AT_WALLTIME, 137)
    scheduler.says(GONE)
    scheduler.leaves(205)
    assert scheduler.after(0).reason == (
        "exit code 205: killed at its walltime of 01:00:00 (failed 37)"
    )


@pytest.mark.fault(
    "a job that somebody deleted, or that was killed over a limit, and ended in good order",
    outcome="told why, in the scheduler's words",
)
@pytest.mark.parametrize("before", [None, RUNNING, GONE])
def test_why_a_job_was_told_to_end_is_asked_until_the_scheduler_says(scheduler, before):
    """It shows the job as running for some seconds more, and its accounting comes later still."""
    scheduler.says(before)
    scheduler.leaves(143)
    assert scheduler.after(30).outcome is Outcome.WAIT
    scheduler.says(Status(State.ENDED, "and terminated by abci@es1", DELETED, 271))
    assert scheduler.after(5).reason == (f"exit code 143: {DELETED} (and terminated by abci@es1)")


@pytest.mark.parametrize("before", [None, RUNNING, GONE])
def test_but_not_for_longer_than_the_grace_period(scheduler, before):
    scheduler.says(before)
    scheduler.leaves(143)
    assert scheduler.after(55).outcome is Outcome.WAIT
    verdict = scheduler.after(10)
    assert (verdict.outcome, verdict.reason) == (Outcome.FAILED, "exit code 143")


@pytest.mark.fault("a job that is put back into the queue (qrerun, a lost node)", outcome="goes on")
@pytest.mark.parametrize("leaves_marker", [True, False])
def test_a_job_that_is_put_back_into_the_queue_goes_on(scheduler, leaves_marker):
    scheduler.says(RUNNING)
    scheduler.after(60)
    if leaves_marker:  # where its script was told to end
        scheduler.leaves(143)
    scheduler.says(Status(State.WAITING, "Not Running: Not enough free nodes available"))
    assert scheduler.after(7200).outcome is Outcome.WAIT
    assert scheduler.warnings == [
        "job 1.es1 (train-1) had started, and PBS put it back into the queue: Not Running: Not "
        "enough free nodes available"
    ]
    scheduler.says(RUNNING)
    assert scheduler.after(1200).outcome is Outcome.WAIT
    scheduler.leaves(0)
    assert scheduler.after(0).outcome is Outcome.SUCCEEDED


def test_a_second_end_has_a_grace_period_of_its_own(scheduler):
    scheduler.says(RUNNING)
    scheduler.leaves(143)
    scheduler.after(30)
    scheduler.journal.marker(scheduler.record).unlink()  # its script has started again
    assert scheduler.after(600).outcome is Outcome.WAIT
    scheduler.leaves(143)
    assert scheduler.after(30).outcome is Outcome.WAIT


@pytest.mark.parametrize("is_told", [True, False])
def test_a_failed_job_that_is_shown_running_is_asked_about_again(scheduler, is_told):
    """Snakemake in a deleted job may end before the scheduler has noted the end."""
    scheduler.says(Status(State.RUNNING))
    scheduler.leaves(1)
    assert scheduler.after(0).outcome is Outcome.WAIT
    if is_told:
        scheduler.says(Status(State.ENDED, "and terminated", DELETED, 1))
    reason = scheduler.after(10).reason
    assert reason == (f"exit code 1: {DELETED} (and terminated)" if is_told else "exit code 1")


def test_a_failure_of_which_the_scheduler_knows_no_more_is_its_exit_code(scheduler):
    scheduler.leaves(3)
    assert scheduler.after(0).reason == "exit code 3"


def test_a_vanished_job_is_explained_by_the_accounting(scheduler):
    scheduler.explanation = Status(State.ENDED, "failed 37", AT_WALLTIME, 137)
    scheduler.says(GONE)
    assert scheduler.after(600).reason == "killed at its walltime of 01:00:00 (failed 37)"


def test_a_vanished_job_that_nothing_explains(scheduler):
    scheduler.says(GONE)
    assert scheduler.after(600).reason.startswith("gone from the scheduler")


@pytest.mark.parametrize("walltimes", [1, 2])
def test_a_job_that_asks_goes_on_in_another_walltime(journal, make_record, walltimes):
    scheduler = Scheduler(journal, make_record, walltimes=walltimes)
    scheduler.leaves(1, carry_on=True)
    assert scheduler.after(0).outcome is Outcome.GO_ON


def test_but_not_for_ever(journal, make_record):
    scheduler = Scheduler(journal, make_record, walltimes=3)
    scheduler.leaves(1, carry_on=True)
    verdict = scheduler.after(0)
    assert verdict.outcome is Outcome.FAILED
    assert verdict.reason.startswith("not done after 3 walltimes, the last of 01:00:00")


MARKERS = {
    "empty": "",
    "blank": "\n",
    "a bare number": "0\n",
    "a bare number that is cut off": "0",
    "cut off": "train-1 ended with 0",
    "cut off in the token": "trai",
    "another job's": "train-2 ended with 0\n",
    "NUL bytes": "\0" * 20,
    "with NUL bytes": "train-1 ended with 0\n\0\0",
    "garbage": "\x9c\u2028 garbage",
    "two lines": "train-1 ended with 0\n" * 2,
    "no number": "train-1 ended with x\n",
    "foreign digits": "train-1 ended with \u0660\n",
    "a sign": "train-1 ended with -0\n",
    "very large": "0" * 2_000_000,
}


@pytest.fixture
def of_this_version(journal, make_record):
    return Scheduler(journal, make_record, since=1.0)


@pytest.mark.fault("a damaged marker", outcome="not believed: the scheduler's word counts")
@pytest.mark.parametrize("text", MARKERS.values(), ids=MARKERS)
def test_a_marker_that_is_not_whole_is_none(of_this_version, text):
    scheduler = of_this_version
    scheduler.journal.marker(scheduler.record).write_text(text)
    scheduler.says(RUNNING)
    assert scheduler.after(600).outcome is Outcome.WAIT
    scheduler.says(Status(State.ENDED, exit_code=1))
    verdict = scheduler.after(300)
    assert verdict.outcome is Outcome.FAILED
    assert verdict.reason.endswith("ended/train-1 is damaged and tells nothing")


@pytest.mark.fault(
    "a folder, a pipe or a link to a device in a marker's place", outcome="not believed"
)
@pytest.mark.parametrize(
    "make", [os.mkdir, os.mkfifo, lambda path: path.symlink_to("/dev/zero")], ids="dpl"
)
def test_what_is_no_file_is_no_marker(of_this_version, make):
    scheduler = of_this_version
    make(scheduler.journal.marker(scheduler.record))
    scheduler.says(GONE)
    assert scheduler.after(300).outcome is Outcome.FAILED
    scheduler.journal.close(scheduler.record)
    assert list(scheduler.journal.markers.iterdir()) == []


@pytest.mark.fault("a marker that cannot be read", outcome="not believed")
def test_a_marker_that_cannot_be_read_is_none(of_this_version, monkeypatch):
    scheduler = of_this_version
    scheduler.leaves(0)
    monkeypatch.setattr(files, "read", lambda path, most: (path / "x").stat())
    scheduler.says(GONE)
    assert scheduler.after(300).outcome is Outcome.FAILED


@pytest.mark.fault(
    "a damaged marker of a job that the scheduler knows to have succeeded", outcome="success"
)
def test_the_schedulers_word_counts_where_the_marker_is_damaged(of_this_version):
    scheduler = of_this_version
    scheduler.journal.marker(scheduler.record).write_text("")
    scheduler.says(Status(State.ENDED, exit_code=0))
    assert scheduler.after(300).outcome is Outcome.SUCCEEDED


def test_a_marker_is_looked_at_until_it_is_whole(scheduler):
    scheduler.journal.marker(scheduler.record).touch()
    assert scheduler.after(0).outcome is Outcome.WAIT
    scheduler.leaves(0)
    assert scheduler.after(0).outcome is Outcome.SUCCEEDED


@pytest.mark.parametrize(
    ("text", "outcome"), [("0\n", "SUCCEEDED"), ("3\n", "FAILED"), ("0", "WAIT")]
)
def test_the_bare_numbers_of_the_first_version_count_for_its_jobs(scheduler, text, outcome):
    scheduler.journal.marker(scheduler.record).write_text(text)
    assert scheduler.after(0).outcome is Outcome[outcome]


@pytest.mark.fault(
    "a folder in the place of the file that asks for another walltime",
    outcome="the job does not go on",
)
def test_a_folder_does_not_ask_for_another_walltime(scheduler):
    scheduler.leaves(1)
    scheduler.journal.carry_on(scheduler.record).mkdir()
    assert scheduler.after(0).reason == "exit code 1"
