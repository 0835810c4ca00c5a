"""Submit lines and job scripts."""

import os
import platform
import re
import subprocess
import time
from pathlib import Path

import pytest
from snakemake_executor_plugin_qsub import gridengine
from snakemake_executor_plugin_qsub.submission import (
    Script,
    clock,
    expand,
    job_name,
    require_variables,
    runtime_seconds,
)
from snakemake_interface_common.exceptions import WorkflowError

HOSTILE = ["a b", "x; rm -rf /", "$(touch /tmp/x)", "`id`", "'", '"', "{script}", "-l walltime=99"]


@pytest.mark.parametrize("value", HOSTILE)
def test_a_value_stays_one_word_whatever_is_in_it(value):
    words = expand(
        "qsub -P {group} -l select={nodes} {script}",
        {"group": value, "nodes": 2, "script": "s"},
        "j",
    )
    assert words == ["qsub", "-P", value, "-l", "select=2", "s"]


@pytest.mark.parametrize("fields", [{}, {"queue": None}, {"queue": ""}])
def test_a_missing_resource_is_named(fields):
    with pytest.raises(
        WorkflowError, match="train run=a has no 'queue', which the submit line asks for"
    ):
        expand("qsub -q {queue}", fields, "train run=a")


@pytest.mark.parametrize(
    ("template", "told"),
    [
        ('qsub -P "" {script}', "nothing stands after -P in the submit line"),
        ('"" {script}', "nothing stands after the beginning"),
        ("qsub 'unclosed", "No closing quotation"),
    ],
)
def test_a_submit_line_with_a_hole_is_refused(template, told):
    with pytest.raises(WorkflowError, match=told):
        expand(template, {"script": "s"}, "j")


def test_a_submit_line_without_the_script_is_refused():
    with pytest.raises(WorkflowError, match=r"qsub-submit has no \{script\}"):
        require_variables("qsub -q all")


@pytest.mark.parametrize(
    "template", ["qsub -P $ABCI_GROUP {script}", "qsub -P ${ABCI_GROUP} {script}"]
)
def test_an_unset_variable_is_named(template):
    with pytest.raises(WorkflowError, match=r"^ABCI_GROUP is not set"):
        require_variables(template)


def test_walltimes_are_minutes_to_snakemake_and_a_clock_to_schedulers():
    assert clock(runtime_seconds({"runtime": 90}, "j")) == "01:30:00"
    assert clock(runtime_seconds({"runtime": 168 * 60}, "j")) == "168:00:00"


@pytest.mark.parametrize("runtime", [None, 0, -1, "an hour", True])
def test_a_job_without_a_usable_runtime_is_refused(runtime):
    with pytest.raises(WorkflowError, match="train: runtime must be minutes above 0"):
        runtime_seconds({"runtime": runtime}, "train")


@pytest.mark.parametrize("title", ["train run=a/b seed=1", "1st", "ünder", "x" * 300, "a\nb", ""])
def test_names_are_ones_that_schedulers_take(title):
    name = job_name(title)
    assert name[0].isalpha() and name.isascii() and len(name) <= 61
    assert not set(name) & set("/ \n:@*")


@pytest.fixture
def make_script(tmp_path):
    """A job script in folders with awkward names; runs it and gives its log and marker."""
    work = tmp_path / "it's a folder"
    work.mkdir()
    (work / "ticket").touch()

    def make(command, prelude=None, hostfile="", inputs=(), nodes="2"):
        if prelude is not None:
            (work / "pre lude.sh").write_text(prelude)
        script = Script(
            title="train\nrun=a",
            workdir=work,
            ticket=work / "ticket",
            started=work / "started",
            host=work / "host",
            log=work / "logs/job.log",
            marker=work / "marker",
            carry_on=work / "continue",
            seconds=100,
            nodes=nodes,
            tasks_per_node=4,
            job_id="$THE_ID",
            hostfile=hostfile,
            prelude=None if prelude is None else work / "pre lude.sh",
            exports=("GIVEN", "UNSET_HERE"),
            inputs=inputs,
            latency=1,
            command=command,
        )
        path = work / "job.sh"
        path.write_text(script.text())
        path.chmod(0o755)
        return work, path

    return make


def run(path, **env):
    return subprocess.run([path], env={**os.environ, **env}, capture_output=True, text=True)


def test_a_job_leaves_its_exit_code_and_its_output(make_script):
    work, path = make_script("echo hello; pwd; exit 3")
    assert run(path, THE_ID="1.es1").returncode == 1
    assert (work / "marker").read_text() == "marker ended with 3\n"
    assert (work / "started").read_text() == "1.es1\n"
    assert (work / "host").read_text() == f"{platform.node()} 2\n"
    assert (work / "logs/job.log").read_text() == f"hello\n{work}\n"


@pytest.mark.fault(
    "noclobber, errexit, CDPATH, BASH_ENV or a function `cd` in a job's shell",
    outcome="the job runs and tells how it went",
)
def test_settings_of_the_shell_do_not_reach_the_job(make_script, tmp_path):
    work, path = make_script('false; echo "went$UNSET_HERE" >log; bash -c "echo on >log"; cat log')
    (work / "started").write_text("of a run that the scheduler started over")
    (tmp_path / "profile").write_text("echo from the profile")
    left = {
        "BASH_ENV": str(tmp_path / "profile"),
        "CDPATH": "/",
        "BASH_FUNC_cd%%": "() {  false\n}",
    }
    done = run(path, SHELLOPTS="braceexpand:noclobber:errexit:nounset:noglob", THE_ID="2", **left)
    assert done.returncode == 0
    assert (work / "started").read_text() == "2\n"
    assert (work / "logs/job.log").read_text() == "on\n"
    assert (work / "marker").read_text() == "marker ended with 0\n"


def test_a_job_that_the_scheduler_starts_over_forgets_how_it_ended(make_script):
    work, path = make_script("ls; exit 143")
    for _ in range(2):
        assert run(path, THE_ID="1.es1").returncode == 1
        assert (work / "marker").is_file()
    assert "marker" not in (work / "logs/job.log").read_text().split()


def test_a_job_whose_inputs_stay_away_fails_and_names_them(make_script):
    work, path = make_script("touch done", inputs=("in put", "it's"))
    (work / "in put").touch()
    assert run(path).returncode == 1
    assert (work / "logs/job.log").read_text().startswith("it's cannot be seen on ")
    (work / "it's").touch()
    assert run(path).returncode == 0 and (work / "done").exists()


def test_a_job_without_its_ticket_does_nothing(make_script):
    work, path = make_script("touch done")
    (work / "ticket").unlink()
    assert run(path).returncode == 1
    assert not (work / "done").exists() and not (work / "marker").exists()


@pytest.mark.fault(
    "a job that cannot say that it runs (full disk, vanished folder)", outcome="does nothing"
)
def test_a_job_that_cannot_say_that_it_runs_does_nothing(make_script):
    work, path = make_script("touch done")
    (work / "started").mkdir()
    assert run(path).returncode == 1
    assert not (work / "done").exists()


def test_a_job_knows_its_nodes_its_end_and_what_it_was_given(make_script, monkeypatch):
    monkeypatch.setenv("GIVEN", "a value; $HOME")
    names = ["NODES", "TASKS_PER_NODE", "CONTINUE", "DEADLINE", "HOSTFILE"]
    shown = "\n".join(f'echo "$SNAKEMAKE_QSUB_{name}"' for name in names)
    work, path = make_script(f'{shown}\necho "$GIVEN" "${{UNSET_HERE-unset}}"', hostfile="$LIST")
    run(path, LIST="/the/hosts", GIVEN="")
    nodes, tasks, carry_on, deadline, hosts, given = (
        (work / "logs/job.log").read_text().splitlines()
    )
    assert (nodes, tasks, Path(carry_on)) == ("2", "4", work / "continue")
    assert 90 < int(deadline) - time.time() <= 101
    assert hosts == "/the/hosts"
    assert given == "a value; $HOME unset"


def test_a_job_that_asked_for_a_range_finds_out_its_nodes(make_script):
    nodes = gridengine.NODES_IN_JOB.format(slots_per_node=4)
    work, path = make_script("echo $SNAKEMAKE_QSUB_NODES", nodes=nodes)
    run(path, NSLOTS="12")
    assert (work / "logs/job.log").read_text() == "3\n"
    assert (work / "host").read_text() == f"{platform.node()} 3\n"


@pytest.mark.parametrize("prelude", ["exit 7", "echo no; return 7", "no_such_module_command"])
def test_a_failing_prelude_fails_the_job(make_script, prelude):
    work, path = make_script("touch done", prelude=prelude)
    assert run(path).returncode == 1
    assert re.fullmatch(r"marker ended with [1-9]\d*\n", (work / "marker").read_text())
    assert not (work / "done").exists()


def test_what_the_prelude_sets_holds_for_the_program(make_script):
    work, path = make_script('echo "$LOADED"', prelude="export LOADED=cuda")
    run(path)
    assert (work / "logs/job.log").read_text() == "cuda\n"


ASKS = """
import os, signal, time
signal.signal(signal.{name}, lambda *_: print("warned", flush=True))
os.killpg(0, signal.{name})
time.sleep(0.1)
"""


@pytest.mark.parametrize("name", ["SIGUSR1", "SIGUSR2"])
def test_warnings_reach_only_a_program_that_asks_for_them(make_script, name):
    """As from Grid Engine, to the whole group: a shell, what it starts, a program that asks."""
    work, path = make_script(f"bash -c 'kill -{name} 0; echo went on'; python3 asks.py")
    (work / "asks.py").write_text(ASKS.format(name=name))
    done = subprocess.run([path], start_new_session=True)
    assert done.returncode == 0
    assert (work / "logs/job.log").read_text() == "went on\nwarned\n"


def test_a_terminated_job_tells_how_its_program_ended(make_script):
    work, path = make_script("bash -c 'trap \"exit 9\" TERM; echo up; while :; do sleep 0.1; done'")
    process = subprocess.Popen([path], start_new_session=True)
    while "up" not in (
        (work / "logs/job.log").read_text() if (work / "logs/job.log").exists() else ""
    ):
        time.sleep(0.05)
    os.killpg(process.pid, 15)
    assert process.wait(timeout=10) == 1
    assert (work / "marker").read_text() == "marker ended with 9\n"
