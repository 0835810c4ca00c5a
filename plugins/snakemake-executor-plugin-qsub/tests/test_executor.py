"""Snakemake itself with the executor, on the stand-in for PBS: ends, accidents, interruptions."""

import csv
import json
import os
import re
import shutil
import signal
import subprocess
import time
from pathlib import Path

import pytest

STAND_IN = Path(__file__).parent / "pbs_stand_in"
TWO_JOBS = """
rule all:
    input: "second"
    localrule: True

rule first:
    output: "first"
    resources: nodes=2, tasks_per_node=3, runtime=2
    shell: "sort -u $SNAKEMAKE_QSUB_HOSTFILE >{output}; env | grep ^SNAKEMAKE_QSUB >>{output}"

rule second:
    input: "first"
    output: "second"
    shell: "echo from the log; cp {input} {output}"
"""


def reported(output: str) -> str:
    """The message of the one job that failed."""
    messages = re.findall(r"^    message: (.*?)For further error", output, re.M | re.S)
    assert len(messages) == 1, output
    return messages[0]


def test_jobs_run_one_after_the_other_on_their_nodes(site):
    site.write(TWO_JOBS)
    code, output = site.run()
    assert code == 0, output
    told = (site.folder / "second").read_text().splitlines()
    assert told[:2] == ["g0001", "g0002"]
    assert {"SNAKEMAKE_QSUB_NODES=2", "SNAKEMAKE_QSUB_TASKS_PER_NODE=3"} < set(told)
    assert site.calls("qsub") == 2
    (log,) = (site.folder / "logs").glob("second-*.log")
    assert "from the log" in log.read_text()
    assert not list((site.folder / ".snakemake/qsub/jobs").iterdir())
    assert not (site.folder / ".snakemake/qsub/lease").exists()
    assert re.search(r"^2 jobs used 0\.0\d of the 0\.15 node-hours asked for", output, re.M)
    assert len((site.folder / ".snakemake/qsub/used.csv").read_text().splitlines()) == 3


def test_a_failing_job_is_reported_with_the_end_of_its_log(site):
    site.job("for n in $(seq 50); do echo line $n; done; exit 3")
    code, output = site.run()
    assert code != 0
    message = reported(output)
    (log,) = (site.folder / "logs").glob("*.log")
    assert message.startswith("exit code 1\n")
    assert f"log of job 0.es1: {log}" in message
    assert "line 50" in log.read_text()
    assert site.calls("qdel") == 0
    _, row = csv.reader((site.folder / ".snakemake/qsub/used.csv").open())
    assert row[7:9] == ["failed", "rt_HF"] and float(row[10]) > 0, "memory, as the stand-in tells"


def test_a_failing_prelude_is_told_in_its_own_words(site):
    site.job("touch done")
    (site.folder / "prelude.sh").write_text("echo cannot load the module cuda; exit 1\n")
    code, output = site.run("--qsub-prelude", "prelude.sh")
    assert code != 0
    assert "cannot load the module cuda" in reported(output)
    assert not (site.folder / "done").exists()


def test_a_retry_is_a_fresh_submission(site):
    site.job("[ -e tried ] || {{ touch tried; exit 1; }}; touch done")
    code, output = site.run("--retries", "1")
    assert code == 0, output
    assert site.calls("qsub") == 2


GOES_ON = """
echo x >>state
[ $(wc -l <state) -ge 3 ] || {{ touch "$SNAKEMAKE_QSUB_CONTINUE"; exit 75; }}
touch done
"""


def test_a_job_goes_on_over_three_walltimes_and_is_one_job_to_snakemake(site):
    site.job(GOES_ON)
    code, output = site.run("--retries", "0")
    assert code == 0, output
    assert (site.folder / "state").read_text() == "x\n" * 3
    assert site.calls("qsub") == 3
    assert "job 0.es1 (job) goes on as job 1.es1: walltime 2 of at most 10" in output
    assert "1 of 1 steps (100%) done" in output


def test_a_job_goes_on_for_as_many_walltimes_as_it_may(site):
    site.job(GOES_ON)
    code, output = site.run("--qsub-max-walltimes", "2", "--set-resources", "job:max_runtime=12")
    assert code != 0
    assert reported(output).startswith("not done after 2 walltimes, the last of 00:12:00")
    assert site.calls("qsub") == 2


def test_a_job_killed_at_its_walltime_is_told_so(site):
    site.job("sleep 60")
    code, output = site.run(submit=site.SUBMIT.replace("{walltime}", "00:00:02"))
    assert code != 0
    message = reported(output)
    assert "killed at its walltime" in message
    assert "exceeded resource walltime" in message, "the scheduler's own words"


def test_a_job_that_someone_deletes_is_told_so(site):
    site.job("touch running; sleep 60")
    driver = site.start()
    site.wait_for((site.folder / "running").exists, "the job")
    site.qdel("0.es1")
    output, _ = driver.communicate(timeout=60)
    assert driver.returncode != 0
    assert "deleted with qdel, not by this workflow" in reported(output)


MANY_JOBS = """
rule all:
    input: expand("{{n}}", n=range({jobs}))
    localrule: True
rule job:
    output: "{{n,[0-9]+}}"
    shell: "touch up{{wildcards.n}}; sleep 60"
"""


def test_ctrl_c_leaves_no_job(site):
    site.write(MANY_JOBS.format(jobs=4))
    driver = site.start()
    site.wait_for(lambda: len(list(site.folder.glob("up*"))) == 4, "the jobs")
    assert "4 jobs used 0.0" in site.interrupt(driver)
    assert driver.returncode != 0
    assert site.calls("qdel") == 1
    site.wait_for(lambda: not site.qstat(), "the end of the jobs")


def test_ctrl_c_while_jobs_are_being_submitted_leaves_none(site):
    site.write(MANY_JOBS.format(jobs=30))
    driver = site.start()
    site.wait_for(lambda: site.calls("qsub") >= 3, "some submissions")
    site.interrupt(driver)
    assert 3 <= site.calls("qsub") < 30
    site.wait_for(lambda: not site.qstat(), "the end of the jobs")


def test_a_second_ctrl_c_does_not_keep_the_first_from_deleting_all(site):
    site.write(MANY_JOBS.format(jobs=4))
    driver = site.start()
    site.wait_for(lambda: len(list(site.folder.glob("up*"))) == 4, "the jobs")
    for _ in range(20):
        os.killpg(driver.pid, signal.SIGINT)
        time.sleep(0.05)
    output, _ = driver.communicate(timeout=60)
    assert "deleting 4 jobs" in output
    site.wait_for(lambda: not site.qstat(), "the end of the jobs")


HOLDS = "touch running; while [ ! -e go ]; do sleep 0.1; done; touch done"


def test_what_a_failing_qdel_leaves_is_deleted_by_the_next_start(site):
    """Two jobs never write the same files at once."""
    site.job("echo $$ >>runs; while [ ! -e go ]; do sleep 0.1; done; touch done")
    broken = site.wrap("qdel", "echo qdel: cannot connect to server es1 >&2; exit 255")
    driver = site.start()
    site.wait_for((site.folder / "runs").exists, "the job")
    output = site.interrupt(driver)
    assert "qdel 0.es1: qdel: cannot connect to server es1; the next start deletes" in output
    assert site.qstat() == ["0.es1"]
    broken.unlink()
    second = site.start()
    site.wait_for(lambda: len((site.folder / "runs").read_text().split()) == 2, "another job")
    assert site.qstat() == ["1.es1"]
    (site.folder / "go").touch()
    output, _ = second.communicate(timeout=60)
    assert second.returncode == 0, output
    assert "waiting for deleted jobs to be gone: 0.es1" in output


def test_a_driver_killed_while_qsub_ran_takes_the_job_over_if_it_started(site):
    site.job("echo $$ >>runs; while [ ! -e go ]; do sleep 0.1; done; touch done")
    slow = site.wrap("qsub", f'{STAND_IN}/qsub "$@" >id; sleep 30; cat id')
    driver = site.start()
    site.wait_for((site.folder / "runs").exists, "the job")
    driver.kill()
    driver.wait()
    slow.unlink()
    second = site.start()
    site.wait_for(lambda: site.calls("qstat"), "a question, asked when it is known what to run")
    (site.folder / "go").touch()
    output, _ = second.communicate(timeout=60)
    assert second.returncode == 0, output
    assert len((site.folder / "runs").read_text().split()) == 1
    assert "taking over job 0.es1 (job)" in output


@pytest.mark.parametrize("waits", [True, False])
def test_a_job_of_other_resources_is_replaced_while_it_waits_and_kept_when_it_runs(site, waits):
    site.job(HOLDS)
    driver = site.start(PBS_STAND_IN_DELAY="600" if waits else "0")
    ready = (lambda: site.calls("qsub")) if waits else (site.folder / "running").exists
    site.wait_for(ready, "the job")
    time.sleep(1)
    driver.kill()
    driver.wait()
    site.write((site.folder / "Snakefile").read_text().replace("runtime=10", "runtime=10, nodes=2"))
    (site.folder / "go").touch()
    code, output = site.run()
    assert code == 0, output
    assert site.calls("qsub") == (2 if waits else 1)


def test_a_group_of_which_one_part_is_done_is_not_run_beside_itself(site):
    grouped = re.sub(r"(resources: nodes.*)", r"group: 'both'\n    \1", TWO_JOBS)
    site.write(
        grouped.replace('output: "second"', 'output: "second"\n    group: "both"').replace(
            "echo from the log", f"echo $$ >>runs; {HOLDS}"
        )
    )
    driver = site.start()
    site.wait_for((site.folder / "running").exists, "the job")
    driver.kill()
    driver.wait()
    second = site.start()
    site.wait_for(lambda: len((site.folder / "runs").read_text().split()) == 2, "another job")
    assert len(site.qstat()) == 1
    (site.folder / "go").touch()
    output, _ = second.communicate(timeout=60)
    assert second.returncode == 0, output


@pytest.mark.fault(
    "a queue that takes two jobs at a time", outcome="the others wait their turn, none fails"
)
def test_a_full_queue_fails_no_job_and_watching_goes_on(site):
    site.write(MANY_JOBS.format(jobs=4).replace("sleep 60", "sleep 1; touch {output}"))
    code, output = site.run("--retries", "0", PBS_STAND_IN_MOST="2")
    assert code == 0, output
    assert output.count("PBS takes no more jobs for now (qsub: would exceed queue generic's") == 1
    assert site.calls("qsub") <= 4 * 3, "it is not asked again and again"


@pytest.mark.fault(
    "Ctrl-C while jobs wait for a full queue", outcome="it ends at once, no job left"
)
def test_ctrl_c_while_a_job_waits_for_the_queue(site):
    site.write(MANY_JOBS.format(jobs=4))
    driver = site.start(PBS_STAND_IN_MOST="1")
    site.wait_for((lambda: site.calls("qsub") >= 2), "a refusal")
    site.wait_for((lambda: list(site.folder.glob("up*"))), "a job")
    output = site.interrupt(driver)
    assert driver.returncode != 0
    assert "Error in rule" not in output, "they have not failed"
    site.wait_for(lambda: not site.qstat(), "the end of the jobs")
    assert len(list(site.folder.glob("up*"))) == 1


@pytest.mark.fault(
    "a job fails while others wait for a full queue", outcome="the others are not submitted"
)
def test_what_waits_for_the_queue_is_not_submitted_after_a_failure(site):
    site.write(MANY_JOBS.format(jobs=3).replace("sleep 60", "sleep 3; exit 1"))
    code, output = site.run(PBS_STAND_IN_MOST="1")
    assert code != 0
    assert "not submitted: Snakemake ends while it waits for the queue" in output
    assert len(list(site.folder.glob("up*"))) < 3


@pytest.mark.fault(
    "other words of qsub around the job's id, or an exit code that is not 0",
    outcome="the id that the scheduler shows as ours counts",
)
@pytest.mark.parametrize(
    "commands",
    [
        f'echo 3; echo 12345.6; {STAND_IN}/qsub "$@"',
        f'{STAND_IN}/qsub "$@"; echo 3',
        f'id=$({STAND_IN}/qsub "$@"); printf "\\033[32mJob $id submitted\\033[0m\\r\\n"; exit 3',
        f'{STAND_IN}/qsub "$@" >>ids; echo "qsub: End of File" >&2; exit 1',
    ],
)
def test_a_site_whose_qsub_has_other_words(site, commands):
    site.job("sleep 2; touch done")
    site.wrap("qsub", commands)
    code, output = site.run("--retries", "0")
    assert code == 0, output
    assert site.calls("qsub") == 1


@pytest.mark.fault(
    "a full disk when the id of a job is to be recorded",
    outcome="said; the job is watched, and recorded as soon as there is room",
)
@pytest.mark.parametrize("is_killed", [True, False])
def test_a_job_that_cannot_be_recorded_is_not_lost(site, is_killed):
    site.job(HOLDS)
    full = "for job in .snakemake/qsub/jobs/*; do ln -s /dev/full $job/record.part; done"
    wrapped = site.wrap("qsub", f'{STAND_IN}/qsub "$@"; {full}')
    driver = site.start()
    site.wait_for((site.folder / "running").exists, "the job")
    if is_killed:
        (record,) = (site.folder / ".snakemake/qsub/jobs").glob("*/record.json")
        record.with_suffix(".part").unlink(missing_ok=True)
        site.wait_for(lambda: "0.es1" in record.read_text(), "the record")
        driver.kill()
        driver.wait()
        wrapped.unlink()
        driver = site.start()
        site.wait_for(lambda: not site.calls("qdel") and site.calls("qstat") > 2, "a look")
    (site.folder / "go").touch()
    output, _ = driver.communicate(timeout=60)
    assert driver.returncode == 0, output
    assert site.calls("qsub") == 1
    told = "taking over job 0.es1" if is_killed else "cannot be recorded: No space left on device"
    assert told in output


@pytest.mark.fault(
    "a disk that is full when a job's script is written", outcome="the job fails, the file named"
)
def test_a_script_that_cannot_be_written_is_named(site):
    """A limit on the size of files stands in for the full disk."""
    site.job("touch done")
    limited = site.folder / "limited"
    limited.write_text('#!/bin/bash\nulimit -f 2\nexec "$@"\n')
    limited.chmod(0o755)
    words = site.words()
    site.words = lambda *_, **__: [str(limited), *words]
    code, output = site.run()
    assert code != 0
    assert re.search(r"not submitted: .*File too large.*/jobs/job-\w{8}/job-\w{8}\.sh", output)
    assert not list((site.folder / ".snakemake/qsub/jobs").iterdir())
    assert site.calls("qsub") == 0


def killed_driver(site, command=HOLDS):
    """A driver killed with -9 while its one job runs."""
    site.job(command)
    driver = site.start()
    site.wait_for((site.folder / "running").exists, "the job")
    driver.kill()
    driver.wait()


def test_a_driver_that_was_killed_takes_its_job_over(site):
    killed_driver(site)
    before = site.calls("qstat")
    driver = site.start()
    site.wait_for(lambda: site.calls("qstat") > before, "a question")
    (site.folder / "go").touch()
    output, _ = driver.communicate(timeout=60)
    assert driver.returncode == 0, output
    assert "taking over job 0.es1 (job)" in output
    assert site.calls("qsub") == 1


def test_a_job_that_ended_while_no_driver_ran_is_not_run_again(site):
    killed_driver(site)
    (site.folder / "go").touch()
    site.wait_for(lambda: not site.qstat(), "the end of the job")
    code, output = site.run()
    assert code == 0, output
    assert site.calls("qsub") == 1


def test_a_job_of_another_command_is_deleted_and_not_taken_over(site):
    killed_driver(site)
    site.job("echo new >done")
    code, output = site.run()
    assert code == 0, output
    assert "job 0.es1 (job) is not what is wanted: deleting it" in output
    assert (site.folder / "done").read_text() == "new\n"
    assert (site.calls("qsub"), site.calls("qdel")) == (2, 1)


def numbers_begin_anew(site, name):
    """A killed driver's job is gone without a trace, and its number has become that of another."""
    killed_driver(site)
    site.qdel("0.es1")
    site.wait_for(lambda: not site.qstat(), "the end of the job")
    (site.folder / "running").unlink()
    shutil.rmtree(site.folder / ".snakemake/qsub/ended")
    shutil.rmtree(site.state)
    (site.folder / "another.sh").write_text("sleep 60\n")
    words = ["-P", "g", "-q", "rt_HF", "-l", "select=1", *(["-N", name] if name else [])]
    subprocess.run(
        [STAND_IN / "qsub", *words, "another.sh"],
        cwd=site.folder,
        env=site.environment,
        stdout=subprocess.DEVNULL,
        check=True,
    )
    assert site.qstat() == ["0.es1"]


@pytest.mark.fault(
    "a server whose job numbers began anew, our old number another job's now",
    outcome="neither taken over nor deleted; ours is submitted again",
)
@pytest.mark.parametrize(
    ("name", "interrupted"), [("job", True), ("job-0badf00d", False), ("", True)]
)
def test_a_foreign_job_of_the_same_number_is_left_alone(site, name, interrupted):
    numbers_begin_anew(site, name)
    driver = site.start()
    site.wait_for((site.folder / "running").exists, "a job of its own")
    if interrupted:
        os.killpg(driver.pid, signal.SIGINT)
    else:
        (site.folder / "go").touch()
    output, _ = driver.communicate(timeout=60)
    assert (driver.returncode == 0) is not interrupted, output
    assert "job 0.es1 of an earlier Snakemake is gone: its number is another job's: name" in output
    site.wait_for(lambda: site.qstat() == ["0.es1"], "the foreign job alone")


def test_ctrl_c_deletes_the_jobs_of_an_earlier_driver_as_well(site):
    """Also those that wait for others before the new driver would take them over."""
    killed_driver(site)
    others = MANY_JOBS.format(jobs=1).replace("rule job", "rule other")
    site.write(site.ONE_JOB.format(command=HOLDS) + others)
    driver = site.start("--", "all")
    site.wait_for((site.folder / "up0").exists, "another job")
    site.interrupt(driver)
    site.wait_for(lambda: not site.qstat(), "the end of the jobs")


@pytest.mark.fault(
    "Ctrl-C while a starting driver asks for its old jobs", outcome="one line, jobs left alone"
)
def test_ctrl_c_before_anything_is_taken_over_leaves_jobs_alone(site):
    killed_driver(site)
    slow = site.wrap("qstat", f'touch asked; sleep 3; {STAND_IN}/qstat "$@"')
    driver = site.start()
    site.wait_for((site.folder / "asked").exists, "a question")
    output = site.interrupt(driver)
    assert driver.returncode != 0
    assert "Traceback" not in output and "interrupted: jobs are left alone" in output
    slow.unlink()
    assert site.qstat() == ["0.es1"]
    (site.folder / "go").touch()
    code, output = site.run()
    assert code == 0, output
    assert site.calls("qsub") == 1


def test_a_job_that_nothing_asks_for_any_more_is_told_and_left(site):
    killed_driver(site)
    site.write("rule other:\n    output: 'other'\n    shell: 'touch {output}'\n")
    code, output = site.run()
    assert code == 0, output
    assert "jobs 0.es1 of an earlier Snakemake are in the queue still" in output
    assert site.qstat() == ["0.es1"]


def test_a_group_of_jobs_is_one_job(site):
    grouped = re.sub(r"(resources: nodes.*)", r"group: 'both'\n    \1", TWO_JOBS)
    site.write(grouped.replace('output: "second"', 'output: "second"\n    group: "both"'))
    code, output = site.run()
    assert code == 0, output
    assert (site.folder / "second").exists()
    assert site.calls("qsub") == 1


SIBLINGS = """
rule all:
    input: "1", "2"
    localrule: True

rule each:
    output: "{{n}}"
    resources: tasks_per_node={tasks}, runtime=2, max_walltimes=3, mem_mb=100
    shell: "echo $SNAKEMAKE_QSUB_NODES $SNAKEMAKE_QSUB_TASKS_PER_NODE >{{output}}"
"""
GROUPED = ("--groups", "each=pair", "--group-components", "pair=2")


def test_jobs_of_one_task_each_share_a_node_as_a_group(site):
    """Snakemake would have their nodes and tasks added up."""
    site.write(SIBLINGS.format(tasks=1))
    code, output = site.run(*GROUPED)
    assert code == 0, output
    assert site.calls("qsub") == 1
    assert [(site.folder / name).read_text() for name in "12"] == ["1 1\n", "1 1\n"]


@pytest.mark.parametrize("executor", ["qsub", "qsub-plan"])
def test_jobs_of_several_tasks_are_no_group(site, executor):
    site.write(SIBLINGS.format(tasks=3))
    code, output = site.run(*GROUPED, executor=executor)
    assert code != 0 and site.calls("qsub") == 0
    lines = [line for line in output.splitlines() if line.startswith("group pair_each each: ")]
    assert lines == [
        "group pair_each each: jobs of tasks_per_node=3 each would run at the same time in one "
        "job: leave them out of --groups, or give --group-components 1"
    ]


@pytest.mark.parametrize(("other", "bounded"), [(1, True), (2, False)])
def test_a_group_can_do_with_as_few_nodes_as_each_of_its_jobs(site, other, bounded):
    rules = TWO_JOBS.replace("runtime=2", "nodes_least=1, runtime=2")
    rules = rules.replace('input: "first"\n', f'input: "first"\n    resources: nodes={other}\n')
    site.write(re.sub(r"(output: )", r"group: 'both'\n    \1", rules))
    code, output = site.run(executor="qsub-plan")
    assert code == 0, output
    (line,) = [line for line in output.splitlines() if line.startswith("qsub ")]
    assert ("-l select=2:" in line, " -r n " in line) == (True, bounded), line


def test_a_rule_may_have_options_of_its_own(site):
    site.job("touch done")
    extra = "--set-resources", "job:qsub_extra=\"-W 'a b=c' -l place=excl\""
    code, output = site.run(*extra, executor="qsub-plan")
    assert code == 0, output
    (line,) = [line for line in output.splitlines() if line.startswith("qsub ")]
    assert line.endswith("-o scheduler.log -W 'a b=c' -l place=excl job.sh")


@pytest.mark.parametrize("executor", ["qsub", "qsub-plan"])
def test_names_are_those_that_snakemake_is_told(site, executor):
    site.job("touch done; sleep 0.5")
    code, output = site.run("--jobname", "study 1.{rulename}.{jobid}", executor=executor)
    assert code == 0, output
    records = "".join(path.read_text() for path in (site.state / "jobs").rglob("*.json"))
    assert "study_1.job.0" in (output if executor == "qsub-plan" else records)


def test_jobs_that_are_all_to_be_submitted_at_once_are_refused(site):
    site.job("touch done")
    code, output = site.run("--immediate-submit", "--notemp")
    assert code != 0 and site.calls("qsub") == 0
    assert "--immediate-submit: jobs are submitted when their inputs are there" in output


def test_jobs_are_looked_at_as_often_as_snakemake_is_told(site):
    site.job("touch done")
    began = time.monotonic()
    code, output = site.run("--seconds-between-status-checks", "15")
    assert code == 0, output
    assert time.monotonic() - began > 15


@pytest.mark.parametrize(("value", "told"), [("-W 'a", "No closing quotation"), (3, "not 3")])
def test_what_are_no_options_is_refused_before_anything_is_submitted(site, value, told):
    site.job("touch done")
    snakefile = site.folder / "Snakefile"
    snakefile.write_text(snakefile.read_text().replace("runtime=10", f"qsub_extra={value!r}"))
    code, output = site.run()
    assert code != 0 and site.calls("qsub") == 0
    assert "job: qsub_extra must be options of qsub in one line, not" in output
    assert told in output


def test_a_second_driver_is_refused_in_one_line(site):
    site.job(HOLDS)
    driver = site.start()
    site.wait_for((site.folder / "running").exists, "the job")
    code, output = site.run()
    assert code != 0
    lines = [
        line for line in output.splitlines() if line.startswith("another Snakemake is at work")
    ]
    assert len(lines) == 1 and f"process {driver.pid} on" in lines[0]
    (site.folder / "go").touch()
    driver.communicate(timeout=60)
    assert driver.returncode == 0
    assert site.calls("qsub") == 1


def test_a_qstat_that_fails_for_a_while_loses_nothing(site):
    site.job(HOLDS)
    driver = site.start()
    site.wait_for((site.folder / "running").exists, "the job")
    (site.state / "fail-qstat").touch()
    before = site.calls("qstat")
    site.wait_for(lambda: site.calls("qstat") > before + 2, "some failures")
    (site.state / "fail-qstat").unlink()
    (site.folder / "go").touch()
    output, _ = driver.communicate(timeout=60)
    assert driver.returncode == 0, output
    said = "qstat: cannot connect to server es1 (errno=15010); asking again, jobs are left alone"
    assert f"PBS gave no answer that can be read on 0.es1: {said}" in output


@pytest.mark.fault(
    "qstat fails for longer than --qsub-max-silence", outcome="stopped, job taken over"
)
def test_a_driver_that_hears_nothing_stops_and_the_next_one_goes_on(site):
    site.job(HOLDS)
    driver = site.start("--qsub-max-silence", "3")
    site.wait_for((site.folder / "running").exists, "the job")
    (site.state / "fail-qstat").touch()
    output, _ = driver.communicate(timeout=60)
    assert driver.returncode != 0
    stopped = [line for line in output.splitlines() if "(--qsub-max-silence)" in line]
    assert len(stopped) == 1 and "start Snakemake again, which takes them over" in stopped[0]
    assert "Traceback" not in output and "Error in rule" not in output
    assert site.calls("qdel") == 0
    (site.state / "fail-qstat").unlink()
    assert site.qstat() == ["0.es1"]
    asked = site.calls("qstat")
    second = site.start()
    site.wait_for(lambda: site.calls("qstat") > asked, "a question")
    (site.folder / "go").touch()
    output, _ = second.communicate(timeout=60)
    assert second.returncode == 0, output
    assert "taking over job 0.es1 (job)" in output
    assert site.calls("qsub") == 1


@pytest.mark.fault(
    "our job's name shown under another owner or time (mapped users, another time zone)",
    outcome="nothing follows: it is neither gone, nor deleted, nor run a second time",
)
def test_a_qstat_of_another_time_zone_costs_no_job(site):
    site.job("echo $$ >>runs; sleep 15; touch done")
    site.wrap("qstat", f'TZ=Asia/Tokyo {STAND_IN}/qstat "$@"')
    code, output = site.run("--retries", "1", TZ="UTC")
    assert code == 0, output
    assert len((site.folder / "runs").read_text().split()) == 1
    assert "PBS gave no answer that can be read on 0.es1: Job Id: 0.es1 Job_Name = job-" in output


@pytest.fixture
def no_history(site):
    """The site's PBS keeps no finished jobs."""
    site.state.mkdir()
    (site.state / "no-history").touch()


@pytest.mark.fault(
    "PBS without job history, a job is killed", outcome="failed, says that none is kept"
)
def test_a_job_that_vanishes_from_a_pbs_without_history_has_failed(site, no_history):
    site.job("kill -9 0")
    code, output = site.run()
    assert code != 0
    assert "gone from the scheduler" in reported(output)
    assert "this PBS keeps no history of jobs" in reported(output)


@pytest.mark.fault(
    "PBS without job history, the driver killed, its job edited",
    outcome="replaced by the next start",
)
def test_a_killed_driver_goes_on_at_a_pbs_without_history(site, no_history):
    killed_driver(site)
    site.job("echo new >done")
    code, output = site.run()
    assert code == 0, output
    assert (site.folder / "done").read_text() == "new\n"
    assert (site.calls("qsub"), site.calls("qdel")) == (2, 1)


def test_a_job_that_starts_late_runs_what_was_submitted(site):
    site.write(
        'configfile: "config.json"\n' + site.ONE_JOB.format(command="echo {config[word]} >{output}")
    )
    (site.folder / "config.json").write_text(json.dumps({"word": "submitted"}))
    driver = site.start(PBS_STAND_IN_DELAY="4")
    site.wait_for(lambda: site.calls("qsub"), "the submission")
    (site.folder / "config.json").write_text(json.dumps({"word": "edited"}))
    output, _ = driver.communicate(timeout=60)
    assert driver.returncode == 0, output
    assert (site.folder / "done").read_text() == "submitted\n"


def test_an_unset_variable_is_one_line_before_anything_is_submitted(site):
    site.write(TWO_JOBS)
    code, output = site.run(GROUP="")
    assert code != 0
    lines = [line for line in output.splitlines() if line.startswith("GROUP is not set")]
    assert len(lines) == 1
    assert site.calls("qsub") == 0


def test_a_missing_resource_is_found_before_anything_is_submitted(site):
    site.write(TWO_JOBS)
    code, output = site.run(submit=site.SUBMIT + " {account}", GROUP="g")
    assert code != 0
    assert "has no 'account', which the submit line asks for" in output
    assert "Error in rule" not in output, "found at the start, for all jobs, not when one is run"
    assert site.calls("qsub") == 0


def test_a_machine_without_the_schedulers_programs_is_told_what_works_there(site):
    """On its PATH is nothing but what Snakemake needs."""
    site.write(TWO_JOBS)
    (site.folder / "bin").mkdir()
    for name in ("bash", "which"):
        (site.folder / "bin" / name).symlink_to(shutil.which(name))
    code, output = site.run(PATH=str(site.folder / "bin"))
    assert code != 0
    assert "no qsub, qstat, qdel on PATH: start Snakemake on a login node" in output


def test_what_qsub_complains_of_is_told(site):
    site.job("true")
    code, output = site.run("--default-resources", "queue=nosuch", "mem=None", "disk=None")
    assert code != 0
    assert reported(output).startswith("qsub refused it: qsub: Unknown queue")


def test_a_job_on_hold_is_told_and_waited_for(site):
    site.job("touch done")
    driver = site.start(submit=site.SUBMIT.replace("qsub ", "qsub -h "))
    for line in driver.stdout:
        if "does not start: on hold (u)" in line:
            break
    assert driver.poll() is None
    site.qdel("0.es1")
    output = driver.stdout.read()
    assert "deleted with qdel" in output


def test_the_plan_prints_every_submit_line_and_the_most_that_it_can_cost(site):
    site.write(TWO_JOBS)
    more = ("--retries", "1", "--qsub-max-walltimes", "3")
    code, output = site.run(*more, executor="qsub-plan", PATH="/bin")
    assert code == 0, output
    lines = output.splitlines()
    at = lines.index("# first")
    assert lines[at + 1] == (
        "qsub -P gxx00000 -q rt_HF -l select=2:mpiprocs=3 -l walltime=00:02:00 -N first -j oe "
        "-o scheduler.log job.sh"
    )
    assert "# second" in lines
    # 2 nodes for 2 minutes and 1 for 5, each at most 2 x 3 times
    assert [row.split() for row in lines if row.startswith("rt_HF")] == [
        ["rt_HF", "2", "0.15", "0.15", "12", "0.90"]
    ]
    assert lines[-1].startswith("light jobs that run here: 1."), "the sums come last"
    assert not (site.folder / "first").exists() and not site.state.exists()


SIZES = """
rule all:
    input: "wide", "narrow"
    localrule: True

rule narrow:
    output: "narrow"
    resources: runtime=6, max_runtime=9, max_walltimes=3
    shell: "touch {output}"

rule wide:
    output: "wide"
    resources: tasks_per_node=2
    shell: "touch {output}"
"""
QUEUES = ("--qsub-queues", "small share=1/8 ssh=0", "whole nodes=2 tasks_per_node=8 ssh=1")
SIZED = "qsub -q {queue} -v USE_SSH={ssh} -l walltime={walltime} -N {name} {script}"
TABLE = (*QUEUES, "--default-resources", "runtime=5", "mem=None", "disk=None")


def test_the_plan_sorts_jobs_into_queues_and_says_what_is_charged(site):
    site.write(SIZES)
    code, output = site.run(*TABLE, executor="qsub-plan", submit=SIZED)
    assert code == 0, output
    lines = output.splitlines()
    at = lines.index("# narrow"), lines.index("# wide")
    assert lines[at[0] + 1] == ("qsub -q small -v USE_SSH=0 -l walltime=00:06:00 -N narrow job.sh")
    assert lines[at[1] + 1 : at[1] + 3] == [
        "qsub -q whole -v USE_SSH=1 -l walltime=00:05:00 -N wide job.sh",
        "#   fills 2 of the 8 tasks of each node of whole",
    ]
    assert [row.split() for row in lines if re.match(r"(small|whole|all) .*\.", row)] == [
        ["small", "1", "0.10", "0.01", "3", "0.05"],
        ["whole", "1", "0.08", "0.08", "10", "0.83"],
        ["all", "2", "0.18", "0.10", "13", "0.88"],
    ]


@pytest.mark.parametrize("executor", ["qsub", "qsub-plan"])
@pytest.mark.parametrize(
    ("more", "told"),
    [
        (("--set-resources", "wide:nodes=3"), "wide: no queue has room for 3 nodes x 2 tasks"),
        (("--qsub-pack", "9"), "qsub-pack: no queue has room for 1 nodes x 9 tasks"),
        (("--qsub-queues", "small nodes=none"), "qsub-queues: a line is the name of a queue"),
        (("--set-resources", "narrow:max_runtime=soon"), "narrow: max_runtime must be minutes"),
    ],
)
def test_a_job_without_a_queue_is_one_line_before_anything_is_submitted(site, executor, more, told):
    site.write(SIZES)
    code, output = site.run(*TABLE, *more, executor=executor, submit=SIZED)
    assert code != 0 and site.calls("qsub") == 0
    assert len(re.findall(f"^{told}", output, re.M)) == 1, output
    assert "Traceback" not in output


IN_THE_WAY = {
    "a file": lambda folder: folder.write_text(""),
    "a lease that is a folder": lambda folder: (folder / "lease").mkdir(parents=True),
    "jobs that are a file": lambda folder: folder.mkdir() or (folder / "jobs").touch(),
}


@pytest.mark.fault(
    "no journal can be kept (files and folders in its place)", outcome="refused in one line"
)
@pytest.mark.parametrize("make", IN_THE_WAY.values(), ids=IN_THE_WAY)
def test_where_no_journal_can_be_kept_nothing_is_submitted(site, make):
    site.job("touch done")
    (site.folder / ".snakemake").mkdir()
    make(site.folder / ".snakemake/qsub")
    code, output = site.run()
    assert code != 0
    assert (
        len(re.findall(r"^(?:File exists|Is a directory): .*\.snakemake/qsub", output, re.M)) == 1
    )
    assert "Traceback" not in output
    assert site.calls("qsub") == 0


@pytest.mark.fault("the journal is removed while a job runs", outcome="made anew; the job counts")
def test_a_journal_that_is_removed_is_made_anew(site):
    site.job(HOLDS)
    driver = site.start()
    site.wait_for((site.folder / "running").exists, "the job")
    journal = site.folder / ".snakemake/qsub"
    shutil.rmtree(journal)
    site.wait_for(lambda: list(journal.glob("jobs/*/record.json")), "another journal")
    (site.folder / "go").touch()
    output, _ = driver.communicate(timeout=60)
    assert driver.returncode == 0, output
    assert "had vanished in part or whole: it is made anew" in output


@pytest.mark.fault(
    "damaged markers, and jobs that fail or succeed", outcome="the scheduler's word counts"
)
@pytest.mark.parametrize(("ending", "succeeds"), [("touch done", True), ("false", False)])
def test_a_garbage_marker_is_not_believed(site, ending, succeeds):
    """It lies there before the job ends, and the job cannot put its own in its place."""
    site.job(f"touch running; while [ ! -e go ]; do sleep 0.1; done; {ending}")
    driver = site.start()
    site.wait_for((site.folder / "running").exists, "the job")
    journal = site.folder / ".snakemake/qsub"
    (token,) = (path.name for path in journal.glob("jobs/*"))
    (journal / "ended" / f"{token}.part").mkdir()
    (journal / "ended" / token).write_text("0")
    (site.folder / "go").touch()
    output, _ = driver.communicate(timeout=60)
    assert (driver.returncode == 0) is succeeds, output
    assert "some output files are missing" not in output
    if not succeeds:
        assert "is damaged and tells nothing" in reported(output)
