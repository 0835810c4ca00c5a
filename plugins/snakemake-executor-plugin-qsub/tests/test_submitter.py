"""Which id a job got, and what is done where qsub does not take it."""

import threading
import time
from dataclasses import replace

import pytest
from snakemake_executor_plugin_qsub import gridengine, pbs
from snakemake_executor_plugin_qsub.commands import Answer, ask
from snakemake_executor_plugin_qsub.record import Record
from snakemake_executor_plugin_qsub.submitter import LONGEST, Dropped, NoAnswer, Submitter
from snakemake_interface_common.exceptions import WorkflowError

NAME = "train.beta_4.1-3fa2b1c4"
NOW = time.time()
OURS = Record(NAME, "key", "digest", "log", 3600, owner="abci", name=NAME, since=NOW)
QSUB = ["qsub", "job.sh"]
PATIENCE = 3600
DOWN = Answer("", "qstat: cannot connect to server es1 (errno=15010)", 255)


class Clock(threading.Event):
    """Time passes while one waits, and `meanwhile` something happens."""

    def __init__(self):
        super().__init__()
        self.now, self.meanwhile = 0.0, lambda: None

    def wait(self, timeout=None):
        self.now += timeout
        self.meanwhile()
        return self.is_set()


class Scheduler:
    """Answers of qsub, one after the other, and a queue: names and owners by id."""

    def __init__(self, dialect, *answers):
        self.dialect, self.answers, self.queue = dialect, list(answers), {}
        self.asked, self.told, self.down = [], [], False
        self.clock, self.in_queue, self.ending, self.started = Clock(), 0, False, None
        self.submitter = Submitter(
            dialect,
            lambda: self.in_queue,
            lambda record: self.ending,
            lambda record: self.started,
            self.told.append,
            PATIENCE,
            self.ask,
            lambda: self.clock.now,
        )
        self.submitter.stirred = self.clock

    def ask(self, words):
        self.asked.append((words[0], self.clock.now))
        if words[0] == "qsub":
            return self.answers.pop(0) if len(self.answers) > 1 else self.answers[0]
        if self.down:
            return DOWN
        ids = set(words[words.index("-f") + 1 :]) if "-f" in words else set()
        shown = {each: job for each, job in self.queue.items() if each in ids or not ids}
        return (pbs_list if self.dialect is pbs else grid_engine_list)(shown)

    def times(self, program):
        return [at for name, at in self.asked if name == program]

    def place(self, record=OURS):
        return self.submitter.place(QSUB, record)


def pbs_list(jobs):
    return Answer(
        "".join(
            f"Job Id: {job_id}\n    Job_Name = {name}\n    Job_Owner = {owner}@es1\n"
            f"    job_state = Q\n    queue = rt_HF\n    server = es1\n"
            f"    ctime = {time.ctime(NOW)}\n\n"
            for job_id, (name, owner) in jobs.items()
        ),
        "",
        0,
    )


def grid_engine_list(jobs):
    entries = "".join(
        f"<job_list><JB_job_number>{job_id}</JB_job_number><JB_name>{name}</JB_name>"
        f"<JB_owner>{owner}</JB_owner><state>qw</state>"
        f"<JB_submission_time>{time.strftime('%FT%T', time.localtime(NOW))}</JB_submission_time>"
        "</job_list>"
        for job_id, (name, owner) in jobs.items()
    )
    return Answer(
        f"<?xml version='1.0'?><job_info><job_info>{entries}</job_info></job_info>", "", 0
    )


@pytest.mark.parametrize(
    ("dialect", "stdout", "job_id"),
    [
        (pbs, "1234.es1\n", "1234.es1"),
        (pbs, "  1234.es1  \n\n", "1234.es1"),
        (pbs, "\x1b[32m1234.es1\x1b[0m\r\n", "1234.es1"),
        (pbs, "1\x002\x003\x004\x00.es1\n", "1234.es1"),
        (gridengine, "1234\n", "1234"),
        (gridengine, f'Your job 1234 ("{NAME}") has been submitted\n', "1234"),
        (gridengine, f'\x1b[1m  Your job 1234 ("{NAME}") has been submitted\x1b[0m\n', "1234"),
    ],
)
def test_an_id_alone_is_believed(dialect, stdout, job_id):
    scheduler = Scheduler(dialect, Answer(stdout, "a warning of a shell", 0))
    assert scheduler.place() == job_id
    assert [program for program, _ in scheduler.asked] == ["qsub"]


@pytest.mark.fault(
    "other words of qsub around the job's id, or an exit code that is not 0",
    outcome="the id that the scheduler shows as ours counts",
)
@pytest.mark.parametrize(
    ("dialect", "stdout", "stderr", "exit_code"),
    [
        (pbs, "3\n1234.es1\n", "", 0),
        (pbs, "12345.6\n1234.es1\n", "", 0),
        (pbs, "1234.es1\n3\n", "", 0),
        (pbs, "1234.es1\n77.es1\n", "", 0),
        (pbs, "77.es1\n1234.es1\n", "", 0),
        (pbs, "budget: 12 points\n1234.es1\nbudget: 11.5 points", "", 0),
        (pbs, "1234\n", "", 0),
        (pbs, "Job 1234.es1 submitted\n", "", 0),
        (pbs, "Job <1234.es1> submitted to queue rt_HF.\n", "", 0),
        (pbs, "submitted as 1234.es1.\n", "", 0),
        (pbs, "", "1234.es1\n", 0),
        (pbs, "1234.es1\n", "", 1),
        (pbs, "\x1b]0;qsub\x07\x1b[32mjob\x1b[0m=\x1b[1m1234.es1\x1b[0m\n", "", 0),
        (pbs, "\ufeff1234.es1\n\x00\x00ok\n", "", 0),
        (pbs, "1234.es1\n" + "x" * 1_000_000, "", 0),
        (pbs, "9 " * 500_000 + "\n1234.es1\n", "", 0),
        (pbs, "", "", 0),
        (pbs, "done\n", "", 0),
        (pbs, "", "qsub: Unknown queue\n", 170),
        (pbs, "", "qsub: no answer within 120 s", 124),
        (pbs, "", "Connection reset by peer", 162),
        (gridengine, "3\n1234\n", "", 0),
        (gridengine, "1234\n3\n", "", 0),
        (gridengine, "Project has 12345.6 points\n1234\n", "", 0),
        (
            gridengine,
            "",
            "Unable to run job: warning: abci your job is not allowed to run in any queue\n"
            f'Your job 1234 ("{NAME}") has been submitted\nExiting.\n',
            1,
        ),
        (gridengine, f'   Your job 1234 ("{NAME}") has been submitted\nhello\n', "", 0),
        (gridengine, f'Your job 1234 ("{NAME}") has been submitted\nbye 7\n', "", 0),
        (gridengine, "Job 1234.es1 submitted\n", "", 0),
        (gridengine, "", "Unable to run job: got read error\nExiting.\n", 1),
        (gridengine, "", "", 0),
        (gridengine, "", "", -9),
    ],
)
def test_the_id_is_what_the_scheduler_shows_as_ours(dialect, stdout, stderr, exit_code):
    scheduler = Scheduler(dialect, Answer(stdout, stderr, exit_code))
    job_id, server = ("1234.es1", ".es1") if dialect is pbs else ("1234", "")
    scheduler.queue = {
        f"3{server}": ("other", "abci"),
        f"77{server}": ("train.beta_4.1-00000000", "abci"),
        f"12345{server}": ("x", "abci"),
        job_id: (NAME, "abci"),
        f"7{server}": (NAME, "someone"),
    }
    assert scheduler.place().partition(".")[0] == "1234"
    assert len(scheduler.times("qsub")) == 1
    assert scheduler.told == []


def test_an_id_in_other_words_is_also_found_where_the_site_cuts_names_off():
    scheduler = Scheduler(pbs, Answer("3\n1234.es1\n", "", 0))
    scheduler.queue = {"3.es1": ("other", "abci"), "1234.es1": (NAME[:15], "abci")}
    assert scheduler.place() == "1234.es1"


BANNER = "No more than 100: the maximum number of jobs per user. Busy? Try again later.\n"


@pytest.mark.fault(
    "a site's words before a refusal for good", outcome="the scheduler's own count: told at once"
)
@pytest.mark.parametrize(
    ("dialect", "stdout", "stderr"),
    [
        (pbs, "", BANNER + "qsub: Unknown queue\n"),
        (pbs, BANNER, "qsub: Unknown queue\n"),
        (pbs, "", "qsub: ERROR: group x has no points left, get some and try again\n"),
        (gridengine, BANNER, "Unable to run job: job rejected: no project x\nExiting.\n"),
    ],
)
def test_the_words_of_a_site_keep_no_job_waiting(dialect, stdout, stderr):
    scheduler = Scheduler(dialect, Answer(stdout, stderr, 1))
    with pytest.raises(WorkflowError, match="qsub refused it"):
        scheduler.place()
    assert scheduler.clock.now == 0


@pytest.mark.parametrize("words", ["qsub: illegal -N value", "qsub: job name is too long"])
def test_where_a_name_is_too_long_it_is_told_what_to_leave_out(words):
    with pytest.raises(WorkflowError, match=r"leave -N \{name\} out of qsub-submit"):
        Scheduler(pbs, Answer("", words, 1)).place()


@pytest.mark.parametrize(
    ("dialect", "answer", "told"),
    [
        (pbs, Answer("", "qsub: Unknown queue\n", 170), "qsub refused it: qsub: Unknown queue"),
        (pbs, Answer("", "qsub: it would exceed the budget of project x", 1), "qsub refused it"),
        (pbs, Answer("", "qsub: walltime would exceed the maximum of 72:00:00", 1), "refused it"),
        (
            gridengine,
            Answer("", "Unable to run job: job rejected: rt_F=9 would exceed the limit of 8", 1),
            "qsub refused it",
        ),
        (pbs, Answer("3\n", "", 0), "PBS shows no job of this name, and qsub printed no id"),
        (pbs, Answer("12.es1\n", "oh no", 1), "qsub refused it: oh no"),
        (pbs, Answer("", "", 1), "qsub refused it: exit code 1 without a word"),
        (pbs, Answer("-rf\n", "", 0), "PBS shows no job of this name"),
        (
            gridengine,
            Answer("", 'Unable to run job: job rejected: the project "x" does not exist.', 1),
            "qsub refused it: Unable to run job: job rejected",
        ),
    ],
)
def test_a_refusal_for_good_is_told_at_once(dialect, answer, told):
    scheduler = Scheduler(dialect, answer)
    scheduler.queue = {"3.es1" if dialect is pbs else "3": ("other", "abci")}
    with pytest.raises(WorkflowError, match=told):
        scheduler.place()
    assert len(scheduler.times("qsub")) == 1


def test_a_refusal_is_told_at_once_though_the_scheduler_does_not_say_whether_it_has_the_job():
    scheduler = Scheduler(pbs, Answer("", "qsub: Unknown queue\n", 170))
    scheduler.down = True
    with pytest.raises(WorkflowError, match="Unknown queue"):
        scheduler.place()
    assert scheduler.clock.now == 0


def test_a_refusal_without_end_is_told_in_short():
    scheduler = Scheduler(pbs, Answer("", "x" * 1_000_000 + " end", 1))
    with pytest.raises(WorkflowError, match=r"end$") as refused:
        scheduler.place()
    assert len(str(refused.value)) < 500


def test_an_id_that_the_job_has_left_itself_needs_no_question():
    scheduler = Scheduler(pbs, Answer("", "no answer within 120 s", 124))
    scheduler.started = "7.es1"
    assert scheduler.place() == "7.es1"
    assert scheduler.times("qstat") == []


FULL = [
    (pbs, "qsub: would exceed queue generic's per-user limit"),
    (pbs, "qsub: would exceed complex's per-user limit of jobs in 'Q' state"),
    (pbs, "qsub: Maximum number of jobs already in queue"),
    (pbs, "qsub: would exceed limit on resource ncpus in queue workq"),
    (pbs, "qsub: user abci has reached the limit of 100 queued jobs"),
    (pbs, "qsub: Job violates queue job limits: max 5 jobs per user"),
    (pbs, "ERROR: you have too many queued jobs"),
    (pbs, "qsub: You already have 20 jobs in the queue (limit 20)"),
    (pbs, "qsub: submit error (Maximum number of jobs already in queue MSG=total number of jobs)"),
    (
        gridengine,
        "Unable to run job: job rejected: only 2 jobs are allowed per user (current job count: 2)",
    ),
    (gridengine, "Unable to run job: job rejected: only 10 jobs are allowed per cluster"),
]


@pytest.mark.fault(
    "a queue that takes no more jobs", outcome="waited out, said once, tried when a job has ended"
)
@pytest.mark.parametrize(("dialect", "words"), FULL)
def test_a_full_queue_is_waited_for(dialect, words):
    taken = Answer("1234.es1" if dialect is pbs else "1234", "", 0)
    full = Answer("", words, 38)
    scheduler = Scheduler(dialect, full, full, full, taken)
    scheduler.in_queue = 3
    assert scheduler.place().startswith("1234")
    assert scheduler.times("qsub") == [0, 5, 15, 35]
    assert dialect.candidates(full) or scheduler.times("qstat") == [], "there is no doubt"
    (told,) = scheduler.told
    assert words in told


def test_grid_engine_is_full_and_warns_in_these_words(gridengine_answer):
    full, warned = gridengine_answer("qsub_over_limit"), gridengine_answer("qsub_warning")
    scheduler = Scheduler(gridengine, full, warned)
    scheduler.queue["1"] = ("zero", "abci")
    scheduler.clock.meanwhile = lambda: scheduler.queue.update({"2": (NAME, "abci")})
    assert scheduler.place() == "2"
    assert scheduler.times("qsub") == [0, 5]


def test_a_full_queue_is_tried_more_and_more_seldom_and_for_ever(pbs_answer):
    scheduler = Scheduler(pbs, *[pbs_answer("over_queue_limit")] * 100, pbs_answer("submit"))
    assert scheduler.place() == "1.es1"
    times = scheduler.times("qsub")
    assert times[-1] - times[-2] == LONGEST and times[-1] > 7 * PATIENCE
    assert len(scheduler.told) == 1


@pytest.mark.fault(
    "a job that a limit never lets in", outcome="said, when none of ours is in the queue any more"
)
def test_where_none_of_ours_is_in_the_queue_the_job_itself_may_ask_for_too_much():
    full = Answer("", "qsub: would exceed queue rt_HF's per-user limit on resource ncpus", 38)
    scheduler = Scheduler(pbs, *[full] * 4, Answer("1234.es1", "", 0))
    scheduler.in_queue = 1

    def it_ends():
        scheduler.in_queue = 0 if scheduler.clock.now > 7 else 1

    scheduler.clock.meanwhile = it_ends
    assert scheduler.place() == "1234.es1"
    assert ["none of ours is there" in line for line in scheduler.told] == [False, True]


def test_after_a_refusal_a_job_is_submitted_when_another_has_ended(pbs_answer):
    """--jobs is lowered to what the queue takes."""
    full, taken = pbs_answer("over_queue_limit"), pbs_answer("submit")
    scheduler = Scheduler(pbs, full, taken)
    scheduler.in_queue = 3

    def one_ends():
        if scheduler.clock.now % 100 == 3:
            scheduler.in_queue = 2
            scheduler.submitter.job_ended()

    scheduler.clock.meanwhile = one_ends
    scheduler.place()
    assert scheduler.times("qsub") == [0, 3]
    scheduler.in_queue, scheduler.submitter.pause = 3, 300
    scheduler.place()
    assert scheduler.times("qsub") == [0, 3, 103], "not tried while there are three"


def test_when_there_is_room_again_all_are_submitted_at_once(pbs_answer):
    """The limit may have been one on the jobs of all users."""
    full, taken = pbs_answer("over_queue_limit"), pbs_answer("submit")
    scheduler = Scheduler(pbs, *[full] * 5, taken)
    for scheduler.in_queue in (3, 4, 5):
        scheduler.place()
    assert scheduler.times("qsub") == [0, 5, 15, 35, 75, 155, 155, 155]


@pytest.mark.fault(
    "a scheduler that is away or busy while a job is submitted",
    outcome="waited out for an hour, said once; no job is submitted twice",
)
@pytest.mark.parametrize(
    "words",
    [
        "Connection refused\nqsub: cannot connect to server es1 (errno=15010)",
        "qsub: no answer within 120 s",
        "qsub: Server busy, try again later",
        "Couldn't connect to cluster: es1",
        "error: commlib error: got select error (Connection refused)\nUnable to run job: unable to "
        'send message to qmaster using port 6444 on host "es1": got send error',
        "qsub: Resource temporarily unavailable",
        "qsub: End of File",
        "qsub: Invalid credential",
        "qsub: Protocol (ASN.1) error",
        "qsub: PBS Server is unavailable",
        "ssh: Could not resolve hostname es1: Temporary failure in name resolution",
        'Unable to run job: got no response from JSV script "/site/jsv".',
        "Unable to run job: can't connect to service",
    ],
)
@pytest.mark.parametrize("taken_all_the_same", [True, False])
@pytest.mark.parametrize("dialect", [pbs, gridengine])
def test_a_scheduler_that_is_away_is_waited_for(dialect, words, taken_all_the_same):
    job_id = "1234.es1" if dialect is pbs else "1234"
    scheduler = Scheduler(dialect, Answer("", words, 1), Answer(job_id, "", 0))
    scheduler.down = True

    def it_comes_back():
        if scheduler.clock.now >= 100:
            scheduler.down = False
            scheduler.queue = {job_id: (NAME, "abci")} if taken_all_the_same else {}

    scheduler.clock.meanwhile = it_comes_back
    assert scheduler.place() == job_id
    assert len(scheduler.times("qsub")) == (1 if taken_all_the_same else 2)
    assert len(scheduler.told) == 1 and "does not answer" in scheduler.told[0]


@pytest.mark.parametrize(
    "answer", [Answer("", "cannot connect to server", 162), Answer("points: 3\n1234.es1", "", 0)]
)
def test_no_answer_is_not_waited_for_without_end(answer):
    scheduler = Scheduler(pbs, answer)
    scheduler.down = True
    with pytest.raises(NoAnswer, match="PBS has not answered for 3600 s"):
        scheduler.place()
    assert PATIENCE < scheduler.clock.now < PATIENCE + 2 * LONGEST
    assert len(scheduler.times("qsub")) == 1, "nobody knows whether the first was taken"
    assert ("another --qsub-dialect?" in scheduler.told[0]) == (answer.exit_code == 0)


@pytest.mark.parametrize("words", [FULL[0][1], "cannot connect to server es1"])
@pytest.mark.parametrize("ends", ["stop", "ending"])
def test_a_wait_is_broken_off_when_snakemake_ends(words, ends):
    scheduler = Scheduler(pbs, Answer("", words, 1))
    scheduler.down = True

    def end():
        if scheduler.clock.now >= 50:
            scheduler.ending = ends == "ending"
            scheduler.submitter.stop() if ends == "stop" else None

    scheduler.clock.meanwhile = end
    with pytest.raises(Dropped):
        scheduler.place()
    assert scheduler.clock.now < 60


def test_a_job_whose_submit_line_has_a_fixed_name_is_not_mixed_up_with_another_of_it():
    scheduler = Scheduler(pbs, Answer("", "qsub: Unknown queue", 170))
    scheduler.queue = {"5.es1": ("fixed", "abci")}
    with pytest.raises(WorkflowError, match="refused"):
        scheduler.place(replace(OURS, name="fixed"))


def test_output_in_another_encoding_is_read(tmp_path):
    program = tmp_path / "qsub"
    program.write_bytes(b"#!/bin/bash\nprintf 'pr\\xe9t\\n1234.es1\\n'\n")
    program.chmod(0o755)
    scheduler = Scheduler(pbs, ask([str(program)]))
    scheduler.queue = {"1234.es1": (NAME, "abci")}
    assert scheduler.place() == "1234.es1"
