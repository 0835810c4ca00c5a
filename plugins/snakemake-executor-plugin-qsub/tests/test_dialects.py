"""What is understood of the answers of real schedulers, and of broken ones."""

import re
import time
from pathlib import Path

import pytest
from snakemake_executor_plugin_qsub import commands, gridengine, pbs
from snakemake_executor_plugin_qsub.commands import LONGEST, Answer, chunks
from snakemake_executor_plugin_qsub.record import Record
from snakemake_executor_plugin_qsub.status import AT_WALLTIME, DELETED, State, Status

JOB_NAME = re.compile(r"^jobname +(\S+)", re.M)


def jobs(*job_ids, name="", owner="abci"):
    """Records of jobs that the captured answers speak of."""
    sizes = ("key", "digest", "log", 60)
    return [Record("token", *sizes, job_id=each, owner=owner, name=name) for each in job_ids]


@pytest.mark.parametrize(
    ("name", "state", "reason", "exit_code"),
    [
        ("running", State.RUNNING, "", None),
        ("held", State.STUCK, "", None),
        ("queued_cannot_run_yet", State.STUCK, "", None),
        ("finished_exit_0", State.ENDED, "", 0),
        ("finished_exit_3", State.ENDED, "", 3),
        ("finished_kill_9", State.ENDED, "", 137),
        ("finished_walltime", State.ENDED, AT_WALLTIME, -29),
        ("finished_qdel_while_running", State.ENDED, DELETED, 271),
        ("finished_qdel_before_start", State.ENDED, DELETED, None),
        ("walltime_snakemake_job", State.ENDED, AT_WALLTIME, -29),
        ("killed_cput", State.ENDED, "killed over its limit of cput", -28),
        ("node_lost", State.ENDED, "its node was lost", -20),
        ("held_later", State.STUCK, "", None),
        ("sister_mom_killed", State.RUNNING, "", None),
        ("requeued_after_sister_failed", State.WAITING, "", None),
        ("requeued_after_ms_failed", State.WAITING, "", None),
        ("unknown", State.UNLISTED, "", None),
    ],
)
def test_pbs_tells_what_became_of_a_job(pbs_answer, name, state, reason, exit_code):
    (status,) = pbs.parse(pbs_answer(name)).values()
    assert (status.state, status.reason, status.exit_code) == (state, reason, exit_code)


def test_pbs_words_are_unfolded(pbs_answer):
    (status,) = pbs.parse(pbs_answer("finished_walltime")).values()
    assert status.words.endswith("on (g0001:ncpus=1) and exceeded resource walltime")


@pytest.mark.parametrize(
    ("name", "efficiency", "memory"),
    [("killed_cput", 7 / 36 / 2, 138164 / 1024), ("running", None, None), ("held", None, None)],
)
def test_pbs_tells_what_a_job_has_used(pbs_answer, name, efficiency, memory):
    (status,) = pbs.parse(pbs_answer(name)).values()
    assert (status.used.efficiency, status.used.memory) == (efficiency, memory)


@pytest.mark.parametrize(
    ("used", "reason"),
    [("", "could not be started by PBS"), ("00:00:05", "ended by PBS with status -24")],
)
def test_another_status_of_pbs_s_own_is_told_by_whether_the_job_has_run(pbs_answer, used, reason):
    text = pbs_answer("node_lost").stdout.replace("Exit_status = -20", "Exit_status = -24")
    line = f"    resources_used.walltime = {used}\n" if used else ""
    (status,) = pbs.parse(
        Answer(text.replace("    job_state", line + "    job_state"), "", 0)
    ).values()
    assert status.reason == reason


def test_pbs_answers_for_the_others_when_one_job_is_unknown(pbs_answer):
    statuses = pbs.parse(pbs_answer("many_one_unknown"))
    assert {name: status.state for name, status in statuses.items()} == {
        "3.es1": State.ENDED,
        "1.es1": State.RUNNING,
        "99999.es1": State.UNLISTED,
    }


def test_271_at_the_end_of_the_walltime_is_the_walltime_and_no_qdel(pbs_answer):
    """Other sites of PBS kill so."""
    answer = pbs_answer("finished_walltime")
    text = answer.stdout.replace("Exit_status = -29", "Exit_status = 271").replace("= 93", "= 91")
    (status,) = pbs.parse(Answer(text, "", 0)).values()
    assert status.reason == AT_WALLTIME


@pytest.mark.parametrize("told", ["substate", "comment"])
def test_a_job_whose_script_ends_in_good_order_was_deleted_all_the_same(pbs_answer, told):
    """Told to end, it exits with 1."""
    text = pbs_answer("finished_qdel_while_running").stdout.replace("= 271", "= 1")
    if told == "comment":
        text = text.replace("substate = 91", "substate = 92")
    else:
        text = re.sub("and terminated.*?abci@es1", "and failed", text, flags=re.DOTALL)
    (status,) = pbs.parse(Answer(text, "", 0)).values()
    assert (status.reason, status.exit_code) == (DELETED, 1)


def test_an_entry_that_was_cut_off_says_nothing(pbs_answer):
    answer = pbs_answer("many_one_unknown")
    cut = answer.stdout[: answer.stdout.index("Job Id: 1.es1") + 60]
    assert set(pbs.parse(Answer(cut, "", 0))) == {"3.es1"}


@pytest.mark.parametrize("exit_code", [0, 1, 124, 255])
@pytest.mark.parametrize("text", ["", "Connection refused\n", "Job Id: 1.es1\n"])
def test_no_answer_of_pbs_says_nothing(text, exit_code):
    assert pbs.parse(Answer(text, "qstat: cannot connect to server es1", exit_code)) == {}


@pytest.mark.parametrize(
    ("name", "job_id"),
    [("submit", "1.es1"), ("submit_bad_select", None), ("submit_unknown_queue", None)],
)
def test_pbs_job_id(pbs_answer, name, job_id):
    assert pbs.job_id(pbs_answer(name)) == job_id


def test_pbs_is_asked_once_for_all_and_more_often_only_for_very_many():
    asked = []

    def ask(words):
        asked.append(words)
        return Answer("", "", 0)

    pbs.query(jobs(*(f"{number}.pbs1" for number in range(1000))), ask)
    assert [len(words) for words in asked] == [1003]
    assert [list(chunk) for chunk in chunks(["a" * LONGEST, "b"])] == [["a" * LONGEST], ["b"]]
    assert list(chunks([])) == []


def test_pbs_may_name_its_server_differently_in_qsub_and_qstat(pbs_answer):
    found = pbs.query(
        jobs("1.short", "9.short", name="two_nodes"), lambda words: pbs_answer("running")
    )
    assert {name: status.state for name, status in found.items()} == {"1.short": State.RUNNING}


@pytest.fixture(params=["apart", "joined, after a banner"])
def server_without_history(pbs_answer, monkeypatch, request):
    """Asks a PBS that keeps no finished jobs: job 32 runs, job 3 has ended; and what was asked."""
    monkeypatch.setattr(pbs, "_history", True)
    asked = []

    def ask(words):
        asked.append(words[1:-1])
        how = "" if "-x" in words else "_without_x"
        answer = pbs_answer(f"history_off_{'running' if '32.es1' in words else 'unknown'}{how}")
        joined = f"*** Welcome ***\n{answer.stderr}{answer.stdout}"
        return answer if request.param == "apart" else Answer(joined, "", answer.exit_code)

    return ask, asked


@pytest.mark.fault("PBS without job history", outcome="asked without -x; as with history")
@pytest.mark.parametrize(
    ("job_id", "state"), [("32.es1", State.RUNNING), ("3.es1", State.UNLISTED)]
)
def test_pbs_without_history_is_asked_without_x(server_without_history, job_id, state):
    ask, asked = server_without_history
    for _ in range(2):
        found = pbs.query(jobs(job_id, name="sl.sh"), ask)
        assert {name: status.state for name, status in found.items()} == {job_id: state}
    assert asked == [["-x", "-f"], ["-f"], ["-f"]], "refused once only"
    assert "keeps no history" in pbs.explain(jobs(job_id)[0], ask).words


@pytest.mark.fault("PBS whose job history is switched on", outcome="asked with -x again")
def test_pbs_that_keeps_a_history_after_all_is_asked_for_it(pbs_answer, monkeypatch):
    monkeypatch.setattr(pbs, "_history", False)
    answers = iter([pbs_answer("finished_without_x"), pbs_answer("finished_exit_3")])
    (status,) = pbs.query(jobs("4.es1", name="bad.sh"), lambda words: next(answers)).values()
    assert (status.state, status.exit_code) == (State.ENDED, 3)


def test_grid_engine_tells_where_jobs_are(gridengine_answer):
    statuses = gridengine.parse(gridengine_answer("qstat_xml_all_states"))
    states = {name: status.state for name, status in statuses.items()}
    assert states == {
        **dict.fromkeys(["9", "10", "11", "12", "13"], State.RUNNING),
        "14": State.WAITING,
        **dict.fromkeys(["15", "16", "17", "18", "19"], State.STUCK),
    }
    assert statuses["13"].words == "suspended (s)"
    assert statuses["15"].words == "on hold (hqw)"


def test_grid_engine_is_asked_once_for_all_and_why_a_job_is_stuck(gridengine_answer):
    answers = {
        ("qstat", "-xml", "-u", "abci"): gridengine_answer("qstat_xml_all_states"),
        ("qstat", "-j", "17"): gridengine_answer("qstat_job_error"),
    }
    found = gridengine.query(
        [*jobs("9", name="walltime"), *jobs("17", name="error"), *jobs("77")],
        lambda words: answers[tuple(words)],
    )
    assert found["9"].state is State.RUNNING
    assert found["17"].state is State.STUCK
    assert "can't open output file" in found["17"].words
    assert found["77"] == Status(State.UNLISTED)


def test_an_empty_list_is_an_answer_and_silence_is_none(gridengine_answer):
    def query(answer):
        return gridengine.query(jobs("9"), lambda words: answer)

    assert query(gridengine_answer("qstat_xml_empty")) == {"9": Status(State.UNLISTED)}
    assert query(gridengine_answer("qstat_xml_qmaster_down")) == {}
    assert query(Answer("", "", 0)) == {}
    assert query(Answer("<html><body>maintenance</body></html>", "", 0)) == {}


@pytest.mark.parametrize(
    ("name", "reason", "exit_code"),
    [
        ("qacct_exit_0", "", 0),
        ("qacct_exit_3", "", 3),
        ("qacct_walltime", AT_WALLTIME, 137),
        ("qacct_walltime_two_nodes", AT_WALLTIME, 137),
        ("qacct_deleted_running", "killed from outside: by qdel, for want of memory", 137),
        ("qacct_killed_9", "killed from outside: by qdel, for want of memory", 137),
        ("qacct_shepherd_killed", "Grid Engine could not run it", 0),
        ("qacct_deleted_error_state", "Grid Engine could not run it", 0),
        ("qacct_exit_99_no_rerun", "", 4),
    ],
)
def test_grid_engines_accounting_tells_how_a_job_ended(gridengine_answer, name, reason, exit_code):
    (job,) = jobs("1", name=JOB_NAME.search(gridengine_answer(name).stdout)[1])
    status = gridengine.explain(job, lambda words: gridengine_answer(name))
    assert status.state is State.ENDED
    assert status.reason.startswith(reason) and bool(status.reason) == bool(reason)
    assert status.exit_code == exit_code


def test_a_memory_limit_is_not_taken_for_the_walltime(gridengine_answer):
    answer = gridengine_answer("qacct_walltime")
    early = Answer(answer.stdout.replace("h_rt=3 ", "h_rt=300 "), "", 0)
    (job,) = jobs("1", name=JOB_NAME.search(early.stdout)[1])
    status = gridengine.explain(job, lambda words: early)
    assert status.exit_code == 137 and status.reason != AT_WALLTIME


@pytest.mark.parametrize("name", ["qacct_unknown", "qacct_deleted_queued", "qacct_qmaster_down"])
def test_a_job_that_the_accounting_does_not_know_stays_unlisted(gridengine_answer, name):
    (job,) = jobs("1", name="any")
    status = gridengine.explain(job, lambda words: gridengine_answer(name))
    assert status.state is State.UNLISTED


def test_univa_names_who_deleted_a_job():
    entry = {"failed": "100 : assumedly after job", "exit_status": "137", "deleted_by": "someone"}
    assert gridengine.accounted(entry).reason == DELETED


@pytest.mark.parametrize(
    ("name", "job_id"), [("qsub_terse", "1"), ("qsub_group_unknown", None), ("qsub_words", "2")]
)
def test_grid_engine_job_id(gridengine_answer, name, job_id):
    found = gridengine.job_id(gridengine_answer(name))
    assert found is None if job_id is None else found.isdigit()


@pytest.mark.fault(
    "colours, titles and control characters in an answer", outcome="read without them"
)
@pytest.mark.parametrize(
    "text",
    [
        "\x1b[1;31m1.es1\x1b[0m",
        "\x1b]0;title\x071.es1",
        "\x1b]0;title\x1b\\1.es1\x1b(B\x1b[m",
        "1\x00.\x08e\x9fs1",
        "\ufeff1.es1\u2028",
    ],
)
def test_an_answer_is_plain_text(text):
    answer = Answer(f"{text}\r\nä\tb\n", f"{text}\r", 0)
    assert (answer.stdout, answer.stderr) == ("1.es1\nä\tb\n", "1.es1\n")


LAUGHS = """<!DOCTYPE job_info [ <!ENTITY a "ha"> <!ENTITY b "&a;&a;&a;&a;&a;&a;&a;&a;&a;&a;"> ]>"""
BANNER = "*** Maintenance & upgrades on Friday <all day> ***\n"
# What is done to the list of jobs 9 to 19, of which 16 stands last, and of which it still speaks.
XML_DAMAGES = {
    "a banner before it": (lambda xml: BANNER + xml, "all"),
    "a banner after it": (lambda xml: xml + BANNER, "all"),
    "colours": (lambda xml: f"\x1b[32m{xml}\x1b[0m", "all"),
    "no first line": (lambda xml: xml.partition("\n")[2], "all"),
    "a bare &": (lambda xml: xml.replace("<JB_name>", "<JB_name>R&D"), "all"),
    "control characters": (lambda xml: xml.replace("<JB_name>", "<JB_name>\0\x1f\x0b"), "all"),
    "an unknown entity": (lambda xml: xml.replace("<JB_name>", "<JB_name>&nbsp;&#0;"), "all"),
    "a document type": (lambda xml: xml.replace("<job_info", f"{LAUGHS}<job_info", 1), "all"),
    "entities of its own": (lambda xml: xml.replace("<JB_name>", "<JB_name>&b;"), "all"),
    "no last line": (lambda xml: xml.rstrip().removesuffix("</job_info>"), "jobs"),
    "cut off in job 16": (lambda xml: xml[: xml.index(">16<") + 60], "but 16"),
    "cut off in a number": (lambda xml: xml[: xml.index(">16<") + 2], "but 16"),
    "a bare < in job 16": (
        lambda xml: xml.replace(">16<", ">16</JB_job_number><JB_x>a<b<"),
        "but 16",
    ),
    "job 16 without a number": (lambda xml: xml.replace(">16<", "><"), "but 16"),
    "job 16 of a garbage number": (lambda xml: xml.replace(">16<", ">1\ufffd<"), "but 16"),
    "job 16 cut out in part": (lambda xml: xml.replace(">16<", "></job_list><x>"), "but 16"),
    "nothing but a banner": (lambda xml: BANNER, "none"),
    "a maintenance page": (lambda xml: f"<html><body>{BANNER}</body></html>", "none"),
    "nothing": (lambda xml: "", "none"),
}
LEFT = {
    "all": {*map(str, range(9, 20)), "77"},
    "jobs": set(map(str, range(9, 20))),
    "but 16": {*map(str, range(9, 16)), "17", "18", "19"},
    "none": set(),
}


@pytest.mark.fault(
    "a damaged answer of Grid Engine (banner, bare &, cut off, a DTD, …)",
    outcome="read as far as it can be; nothing is concluded from absence",
)
@pytest.mark.parametrize(("damage", "left"), XML_DAMAGES.values(), ids=XML_DAMAGES)
def test_of_a_damaged_answer_of_grid_engine_is_read_what_can_be(gridengine_answer, damage, left):
    text = gridengine_answer("qstat_xml_all_states").stdout
    damaged = damage(text)
    assert damaged != text
    asked = jobs(*map(str, range(9, 20)), "77")
    found = gridengine.query(asked, lambda words: Answer(damaged, "", 0))
    assert set(found) == LEFT[left]


@pytest.mark.fault("a list of Grid Engine with an exit code", outcome="absence in it says nothing")
def test_absence_in_an_answer_with_an_exit_code_says_nothing(gridengine_answer):
    text = gridengine_answer("qstat_xml_all_states").stdout
    found = gridengine.query(jobs("9", "77"), lambda words: Answer(text, "", 1))
    assert set(found) == {"9"}


@pytest.mark.parametrize("state", ["q", "?", "", "\ufffd"])
def test_a_state_that_grid_engine_does_not_have_says_nothing(gridengine_answer, state):
    text = gridengine_answer("qstat_xml_all_states").stdout.replace(
        "<state>hqw</state>", f"<state>{state}</state>"
    )
    assert "15" not in gridengine.query(jobs("15"), lambda words: Answer(text, "", 0))


@pytest.mark.fault("an accounting entry that is cut off", outcome="taken for none")
@pytest.mark.parametrize("end", ["exit_status  ", "failed  ", "qsub_time "])
def test_an_accounting_entry_that_was_cut_off_is_none(gridengine_answer, end):
    whole = gridengine_answer("qacct_exit_3").stdout
    (job,) = jobs("1", name=re.search(r"^jobname +(\S+)", whole, re.M)[1])
    cut = whole[: whole.index(end) + len(end) + 2]
    assert gridengine.explain(job, lambda words: Answer(cut, "", 0)).state is State.UNLISTED


def of_job_1(change):
    """Do something to the entry of job 1, the second of three."""

    def damage(answer):
        before, mark, entry = answer.stdout.partition("Job Id: 1.es1")
        return Answer(before + change(mark + entry), answer.stderr, answer.exit_code)

    return damage


def is_over(entry):
    """As if it had ended, with an exit status that was not printed any more."""
    return entry[: entry.index("Checkpoint")].replace("state = R", "state = F")


def anywhere(change, of_errors=lambda text: text):
    return lambda answer: Answer(change(answer.stdout), of_errors(answer.stderr), answer.exit_code)


PBS_DAMAGES = {
    "a banner before it": (anywhere(lambda text: BANNER + text), "31?"),
    "a banner after it": (anywhere(lambda text: text + BANNER), "31?"),
    "a warning between two jobs": (of_job_1(lambda entry: BANNER + entry), "31?"),
    "colours": (anywhere(lambda text: f"\x1b[32m{text}\x1b[0m"), "31?"),
    "DOS ends of lines": (anywhere(lambda text: text.replace("\n", "\r\n")), "31?"),
    "control characters": (
        of_job_1(lambda entry: entry.replace(" = ", " = \0\x0c\x1c\u2028")),
        "31?",
    ),
    "a value over three lines": (
        of_job_1(lambda entry: entry.replace("LANG=", "X=\n\n a = b\nLANG=")),
        "31?",
    ),
    "a value that looks like an entry": (
        of_job_1(
            lambda entry: entry.replace("LANG=", "X=\tJob Id: 3.es1 Unknown Job Id 3.es1\nLANG=")
        ),
        "31?",
    ),
    "errors among the answers": (
        lambda answer: Answer(answer.stderr + answer.stdout, "", 153),
        "31?",
    ),
    "no errors": (anywhere(str, lambda errors: ""), "31"),
    "an error that is cut off": (
        anywhere(str, lambda errors: errors[: errors.index("99999") + 3]),
        "31",
    ),
    "cut off before its state": (of_job_1(lambda entry: entry[: entry.index("state")]), "3?"),
    "cut off in its state": (of_job_1(lambda entry: entry[: entry.index("state = ") + 9]), "3?"),
    "cut off in its last line": (of_job_1(lambda entry: entry.rstrip()), "31?"),
    "cut off at its end": (of_job_1(lambda entry: f"{entry.rstrip()}\n"), "31?"),
    "cut off after its end was told": (of_job_1(is_over), "3?"),
    "cut off in its id": (of_job_1(lambda entry: entry[:9]), "3?"),
    "an unknown state": (
        of_job_1(lambda entry: entry.replace("state = R", "state = \ufffd")),
        "3?",
    ),
    "no state": (of_job_1(lambda entry: entry.replace("job_state = R", "job_state = ")), "3?"),
    "no owner": (of_job_1(lambda entry: entry.replace("    Job_Owner = abci@es1\n", "")), "3?"),
    "an owner that is no text": (of_job_1(lambda entry: entry.replace("abci@", "ab\ufffd@")), "3?"),
    "an exit code that is none": (
        of_job_1(lambda entry: entry.replace("state = R", "state = F\n    Exit_status = 0x")),
        "3?",
    ),
}


@pytest.mark.fault(
    "a damaged answer of PBS (banner, cut off, no text, errors among it, …)",
    outcome="read as far as it can be; nothing is concluded from the rest",
)
@pytest.mark.parametrize(("damage", "left"), PBS_DAMAGES.values(), ids=PBS_DAMAGES)
def test_of_a_damaged_answer_of_pbs_is_read_what_can_be(pbs_answer, damage, left):
    answer = pbs_answer("many_one_unknown")
    damaged = damage(answer)
    found = {name: status.state for name, status in pbs.parse(damaged).items()}
    states = {"3": State.ENDED, "1": State.RUNNING, "?": State.UNLISTED}
    names = {"3": "3.es1", "1": "1.es1", "?": "99999.es1"}
    assert found == {names[each]: states[each] for each in left}
    if "3" in left:
        assert pbs.parse(damaged)["3.es1"] == pbs.parse(answer)["3.es1"]


@pytest.mark.fault(
    "a program of the scheduler that hangs", outcome="killed with all that it started"
)
def test_a_program_that_hangs_is_ended_and_what_it_said_is_kept(tmp_path, monkeypatch):
    monkeypatch.setattr(commands, "TIMEOUT", 0.5)
    script = "echo 1.es1; echo '\xff' wait >&2; sleep 1000 & echo $! >child; wait"
    monkeypatch.chdir(tmp_path)
    answer = commands.ask(["bash", "-c", script])
    assert (answer.stdout, answer.exit_code) == ("1.es1\n", 124)
    assert answer.complaint.endswith("wait bash: no answer within 0.5 s")
    child, deadline = (
        Path("/proc", (tmp_path / "child").read_text().strip(), "stat"),
        time.time() + 10,
    )
    while child.exists() and child.read_text().rpartition(")")[2].split()[0] != "Z":
        assert time.time() < deadline
