"""An answer about a job of the same number is not taken for one about ours."""

import time
from dataclasses import replace
from pathlib import Path

import pytest
from snakemake_executor_plugin_qsub import gridengine, pbs, whose
from snakemake_executor_plugin_qsub.commands import Answer
from snakemake_executor_plugin_qsub.judge import Outcome
from snakemake_executor_plugin_qsub.left_over import left_over
from snakemake_executor_plugin_qsub.record import Record
from snakemake_executor_plugin_qsub.status import Shown, State
from snakemake_executor_plugin_qsub.watch import Watch

SUBMITTED = whose.moment("Sun Nov 22 16:03:12 2026")
OURS = Record(
    *("train-1", "key", "digest", "log", 3600),
    job_id="1.es1",
    owner="abci",
    name="two_nodes",
    since=SUBMITTED - 1,
    until=SUBMITTED + 1,
)
DAY = 24 * 3600
NAME = "train.beta_4.1-3fa2b1c4"
ANOTHERS = {
    "owner": replace(OURS, owner="someone"),
    "name": replace(OURS, name="train.beta_4.1-0badf00d"),
    "earlier": replace(OURS, since=SUBMITTED + DAY, until=SUBMITTED + DAY),
}


def asking(answer):
    return lambda words: answer


@pytest.mark.fault(
    "a job number that has become another job's: other owner, name or time",
    outcome="the answer says nothing of ours",
)
@pytest.mark.parametrize("what", [*ANOTHERS, "later"])
@pytest.mark.parametrize(
    "name", ["running", "finished_exit_0", "finished_exit_3", "finished_qdel_before_start", "held"]
)
def test_pbs_entry_of_another_job_is_not_ours(pbs_answer, name, what):
    answer = pbs_answer(name)
    (job_id, entry), *_ = pbs.parse(answer).items()
    shown = entry.shown
    ours = replace(
        OURS, job_id=job_id, name=shown.name, since=shown.submitted, until=shown.submitted
    )
    assert pbs.query([ours], asking(answer))[job_id] == entry
    another = {
        "owner": replace(ours, owner="someone"),
        "name": replace(ours, name="train.beta_4.1-0badf00d"),
        "earlier": replace(ours, since=shown.submitted + DAY, until=shown.submitted + DAY),
        "later": replace(ours, since=shown.submitted - DAY, until=shown.submitted - DAY),
    }[what]
    status = pbs.query([another], asking(answer))[job_id]
    assert status.state is State.UNLISTED and status.is_anothers
    assert status.words.startswith("its number is another job's: ")


GRID = replace(
    OURS,
    job_id="13",
    since=whose.moment("2026-11-24T08:24:45"),
    until=whose.moment("2026-11-24T08:24:46"),
)


@pytest.mark.fault(
    "a job number that has become another job's: other owner, name or time",
    outcome="the answer says nothing of ours",
)
@pytest.mark.parametrize("job_id", ["13", "14"])
@pytest.mark.parametrize("what", ANOTHERS)
def test_grid_engine_entry_of_another_job_is_not_ours(gridengine_answer, job_id, what):
    answer = gridengine_answer("qstat_xml_all_states")
    ours = replace(GRID, job_id=job_id, name={"13": "two_nodes", "14": "queued"}[job_id])
    assert not gridengine.query([ours], asking(answer))[job_id].is_gone
    another = {
        "owner": replace(ours, owner="someone"),
        "name": replace(ours, name="train.beta_4.1-0badf00d"),
        "earlier": replace(ours, since=GRID.since + DAY, until=GRID.until + DAY),
    }[what]
    status = gridengine.query([another], asking(answer))[job_id]
    assert status.state is State.UNLISTED and status.is_anothers


def finished(name: str, gridengine_answer) -> tuple[Answer, Record]:
    answer = gridengine_answer(name)
    entry = dict(gridengine.ACCOUNTED.findall(answer.stdout))
    at = whose.moment(entry["qsub_time"])
    return answer, replace(
        OURS, job_id=entry["jobnumber"], name=entry["jobname"], since=at, until=at
    )


@pytest.mark.fault(
    "an accounting record of another job under our job's number",
    outcome="is not believed: ours counts, wherever it stands, else none",
)
@pytest.mark.parametrize("what", ANOTHERS)
@pytest.mark.parametrize("foreign_is_last", [True, False])
@pytest.mark.parametrize("accounted", [True, False])
def test_the_accounting_of_another_job_is_not_ours(
    gridengine_answer, what, foreign_is_last, accounted
):
    """Numbers wrap: the accounting has all the jobs that ever had one."""
    answer, ours = finished("qacct_exit_3", gridengine_answer)
    old = {
        "owner": answer.stdout.replace("owner        abci", "owner        someone"),
        "name": answer.stdout.replace(f"jobname      {ours.name}", "jobname      another"),
        "earlier": answer.stdout.replace(" 2026\n", " 2019\n"),
    }[what].replace("exit_status  3", "exit_status  0")
    assert old != answer.stdout
    parts = [answer.stdout, old] if foreign_is_last else [old, answer.stdout]
    status = gridengine.explain(ours, asking(Answer("".join(parts) if accounted else old, "", 0)))
    assert (status.state, status.exit_code) == (
        (State.ENDED, 3) if accounted else (State.UNLISTED, None)
    )


@pytest.mark.fault(
    "an accounting record of another job under our job's number",
    outcome="is not believed: ours counts, wherever it stands, else none",
)
def test_a_job_that_vanished_has_not_succeeded_because_another_did(
    gridengine_answer, journal, make_record
):
    record = make_record(job_id="1", owner="abci", name=NAME, since=time.time())
    now, answers = [0.0], {"qacct": gridengine_answer("qacct_exit_0")}
    watch = Watch(
        gridengine,
        journal,
        *(30, 60, print),
        ask=lambda words: answers.get(words[0], gridengine_answer("qstat_xml_empty")),
        clock=lambda: now[0],
    )
    watch.add(record, walltimes=1)
    for now[0] in (30.0, 100.0, 200.0):
        verdict = watch.look()[record.token]
    assert verdict.outcome is Outcome.FAILED
    assert verdict.reason.startswith("gone from the scheduler, which knows nothing of it")
    assert "its number is another job's: name train, not train.beta_4.1-3fa2b1c4" in verdict.reason


def test_of_a_job_that_was_started_over_the_last_end_counts(gridengine_answer):
    """Grid Engine gives it a new time of submission then."""
    answer, ours = finished("qacct_exit_99_rescheduled", gridengine_answer)
    earlier = replace(ours, since=ours.since - DAY, until=ours.until - DAY)
    for record in (ours, earlier):
        assert gridengine.explain(record, asking(answer)).exit_code == 4


@pytest.mark.parametrize("what", ANOTHERS)
def test_what_is_wrong_with_another_job_is_not_told_of_ours(gridengine_answer, what):
    answer = gridengine_answer("qstat_job_error")
    entry = dict(gridengine.DETAIL.findall(answer.stdout))
    at = whose.moment(entry["submission_time"])
    ours = replace(GRID, job_id="17", name=entry["job_name"], since=at, until=at)
    assert "can't open output file" in gridengine.why_stuck(ours, asking(answer))
    another = {
        "owner": replace(ours, owner="someone"),
        "name": replace(ours, name="other"),
        "earlier": replace(ours, since=at + DAY, until=at + DAY),
    }[what]
    assert gridengine.why_stuck(another, asking(answer)) == "in an error state"


NAMED = replace(OURS, token=NAME, name=NAME)
IN_TIME = {"submitted": SUBMITTED, "is_fixed": True}


@pytest.mark.parametrize(
    ("shown", "is_ours"),
    [
        (Shown("abci", NAME), True),
        (Shown("abci", f"{NAME}.sh"), True),
        (Shown("abci", f"project.{NAME}"), True),
        (Shown("abci", NAME, **IN_TIME), True),
        (Shown("abci", "train.beta_4.1-", **IN_TIME), True),
        (Shown("abci", "train.beta_4*", **IN_TIME), True),
        (Shown("abci", "*****", **IN_TIME), True),
        (Shown("abci", "", **IN_TIME), True),
        (Shown("abci", "train.beta_4.1-"), False),
        (Shown("abci", "*****"), False),
        (Shown("abci"), False),
        (Shown("abci", "train", **IN_TIME), False),
        (Shown("abci", "train.beta_4.1-00000000", **IN_TIME), False),
        (Shown("abci", "train.beta_4.1-", SUBMITTED), False),
        (Shown("", NAME, **IN_TIME), False),
        (Shown("*****", NAME, **IN_TIME), False),
        (Shown("Abci", NAME, **IN_TIME), False),
        (Shown(), False),
    ],
)
def test_what_is_not_shown_is_no_proof(shown, is_ours):
    assert (whose.difference(NAMED, shown) == "") is is_ours


@pytest.mark.parametrize(
    ("seconds", "is_ours"), [(-5000, False), (-4000, True), (0, True), (4000, True), (5000, False)]
)
def test_clocks_may_differ_by_seventy_minutes(seconds, is_ours):
    shown = Shown("abci", NAME, SUBMITTED + seconds, is_fixed=True)
    assert (whose.difference(NAMED, shown) == "") is is_ours


@pytest.mark.fault(
    "our job's name shown under another owner or time (mapped users, another time zone)",
    outcome="nothing follows: it is neither gone, nor deleted, nor run a second time",
)
@pytest.mark.parametrize(
    "shown",
    [
        Shown("someone", NAME, **IN_TIME),
        Shown("*****", NAME, **IN_TIME),
        Shown("abci", f"{NAME}.sh", SUBMITTED + 9 * 3600, is_fixed=True),
        Shown("abci", NAME, SUBMITTED - 9 * 3600),
    ],
)
def test_from_an_entry_that_contradicts_itself_nothing_follows(shown):
    entry = pbs.Status(State.RUNNING, shown=shown)
    assert whose.ours([NAMED], {"1.es1": entry}) == {}
    assert whose.find(NAMED, ["1.es1"], {"1.es1": entry}) == []


def test_two_records_of_one_number_are_told_apart():
    """That of a job of last year, and that of one that got its number again."""
    old = replace(NAMED, token="old-00000000", name="old-00000000", since=1e9, until=1e9)
    entry = pbs.Status(State.RUNNING, shown=Shown("abci", NAME, **IN_TIME))
    for records in ([old, NAMED], [NAMED, old]):
        assert whose.ours(records, {"1.es1": entry})["1.es1"].state is State.RUNNING
    assert whose.ours([old], {"1.es1": entry})["1.es1"].is_anothers


@pytest.mark.parametrize("owner", ["abci", "abci@ad.example.org", "AD\\abci"])
def test_names_of_a_domain_are_owners(pbs_answer, owner):
    answer = pbs_answer("running")
    shown = replace(
        answer, stdout=answer.stdout.replace("Job_Owner = abci@", f"Job_Owner = {owner}@")
    )
    (status,) = pbs.parse(shown).values()
    assert status.shown.owner == owner


@pytest.mark.parametrize(
    ("text", "told"),
    [
        ("Tue Nov  3 08:24:44 2026", "2026-11-03 08:24:44"),
        ("Tue Nov 24 08:24:44 2026", "2026-11-24 08:24:44"),
        ("2026-11-24T08:24:44", "2026-11-24 08:24:44"),
        ("2026-11-24T08:24:44.123", "2026-11-24 08:24:44"),
        ("11/24/2026 08:24:44.123", "2026-11-24 08:24:44"),
        ("11/24/2026 08:24:44", "2026-11-24 08:24:44"),
    ],
)
def test_times_of_schedulers(text, told):
    assert whose.date(whose.moment(text)) == told


def test_times_since_1970_and_times_that_are_none():
    now = int(time.time())
    assert whose.moment(str(now)) == whose.moment(f"{now}000") == now
    none = ["", "-/-", "NONE", "soon", "0", "Thu Jan  1 00:00:00 1970", "1970-01-01T09:00:00", None]
    assert [whose.moment(text) for text in none] == [None] * len(none)


@pytest.mark.parametrize(
    ("line", "name"),
    [
        (f"qsub -N {NAME} -o /tmp/{NAME}.log /jobs/{NAME}/{NAME}.sh", NAME),
        (f"qsub -o /tmp/{NAME}.log /jobs/{NAME}/{NAME}.sh", NAME),
        (f"qsub -N fixed -o /tmp/{NAME}.log /jobs/{NAME}/{NAME}.sh", "fixed"),
        (f"qsub -Nfixed /jobs/{NAME}/{NAME}.sh", "fixed"),
        (f"mysub -N 2 --name={NAME} /jobs/{NAME}/{NAME}.sh", NAME),
    ],
)
def test_the_name_that_a_submit_line_gives(line, name):
    assert whose.name_of(line.split(), NAME) == name


def test_a_record_of_an_earlier_version_has_the_name_that_it_was_submitted_with(journal):
    folder = Path(journal.jobs, "train.beta-3fa2b1c4")
    folder.mkdir()
    (folder / "record.json").write_text(
        '{"token": "train.beta-3fa2b1c4", "key": "k", "digest": "d", "log": "l", "seconds": 9, '
        '"job_id": "1.es1"}'
    )
    (record,) = left_over(journal, time.time())
    assert whose.difference(record, Shown(whose.me(), "train.beta")) == ""
    assert whose.difference(record, Shown(whose.me(), "job.sh")) == "", "no -N in its submit line"
    assert whose.difference(replace(OURS, name="x"), Shown("abci", "job.sh", SUBMITTED)) != ""
    assert whose.difference(record, Shown(whose.me(), "train.other")) != ""
