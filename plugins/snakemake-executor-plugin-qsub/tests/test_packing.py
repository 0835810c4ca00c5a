"""Jobs that share a node in one job of the scheduler, on the stand-in for PBS."""

import csv
import os
import re
import subprocess
from types import SimpleNamespace

import pytest
from snakemake_executor_plugin_qsub import packing
from snakemake_executor_plugin_qsub.request import Request
from snakemake_executor_plugin_qsub.settings import ExecutorSettings

SIBLINGS = """
rule all:
    input: "a", "b", "c"
    localrule: True
rule each:
    output: "{name,[abc]}"
    params: edit=lambda wildcards: EDITS.get(wildcards.name, 0)
    resources: runtime=2
    shell: "echo ${{CUDA_VISIBLE_DEVICES-}} $SNAKEMAKE_QSUB_TASKS_PER_NODE "
        ">up.{wildcards.name}.{params.edit}; "
        "while [ ! -e go.{wildcards.name} ]; do sleep 0.1; done; "
        ". ./go.{wildcards.name}; touch {output}"
"""
SUBMIT = (
    "qsub -P $GROUP -q {queue} -l select={nodes}:mpiprocs={tasks_per_node} -l walltime={walltime} "
    "-N {name} -o {log} {script}"
)
# Three parts of a node are as dear as the whole.
QUEUES = ("--qsub-queues", "rt_HG share=1/3", "rt_HF tasks_per_node=4", "--qsub-pack", "3")
WORDS = (*QUEUES, "--default-resources", "runtime=5", "mem=None", "disk=None", "--keep-going")


# What they wait for is made here, one after the other.
LIGHT = """
rule light:
    output: "light.{name}"
    localrule: True
    shell: "sleep 1; touch {output}"
"""


def start(site, siblings=SIBLINGS, **edits):
    site.write(f"EDITS = {edits}\n{siblings}")
    return site.start(*WORDS, submit=SUBMIT)


def up(site):
    return sorted(path.name for path in site.folder.glob("up.*") if path.read_text())


def let_go(site, **commands):
    for name, command in commands.items():
        (site.folder / f"go.{name}").write_text(f"{command}\n")


@pytest.mark.parametrize(
    ("given", "seen", "ending"),
    [("GPU-a,GPU-b", "GPU-a GPU-b", "true"), ("", "0 1", "kill -9 $$")],
)
def test_gpus_of_the_node_are_given_out_and_an_end_without_a_word_shows(
    tmp_path, given, seen, ending
):
    scripts = [tmp_path / name / f"{name}.sh" for name in ("a", "it's", "gone")]
    for path, command in zip(scripts[:2], ["true", ending], strict=True):
        path.parent.mkdir()
        (path.parent / "ticket").touch()
        path.write_text(
            f"#!/bin/bash\necho -n $CUDA_VISIBLE_DEVICES >'{tmp_path}'/${{0##*/}}.gpu\n{command}\n"
        )
        path.chmod(0o755)
    done = subprocess.run(
        ["bash", "-c", packing.script(scripts)],
        env={**os.environ, "CUDA_VISIBLE_DEVICES": given, "SHELLOPTS": "errexit:nounset"},
        capture_output=True,
        check=False,
    )
    assert " ".join(path.read_text() for path in sorted(tmp_path.glob("*.gpu"))) == seen
    assert done.returncode == (ending != "true")


def ready(names, tasks=1):
    job = SimpleNamespace(name="train", resources={}, is_group=lambda: False)
    return [(job, Request(name, name, {"threads": 1}, 60, 1, tasks, 1, 0)) for name in names]


def titles(found):
    return [[asked.title for _, asked in members] for members, _ in found]


def test_jobs_wait_for_others_that_fill_a_node_and_not_for_long():
    now = [100.0]
    gathering = packing.Gathering(ExecutorSettings(submit="qsub {script}", pack=3), lambda: now[0])
    assert titles(gathering.add([*ready("ab"), *ready(["wide"], tasks=2)])) == [["wide"]]
    assert titles(gathering.add(ready("cdefg"))) == [list("abc"), list("def")]
    now[0] += packing.GATHER - 1
    assert gathering.due() == []
    now[0] += 1
    assert titles(gathering.due()) == [["g"]]
    assert gathering.due() == []


def test_without_packing_no_job_waits():
    gathering = packing.Gathering(ExecutorSettings(submit="qsub {script}"))
    assert titles(gathering.add(ready("ab"))) == [["a"], ["b"]]


def test_each_has_its_gpu_its_end_and_its_next_walltime(site):
    one_by_one = SIBLINGS.replace("rule each:", 'rule each:\n    input: "light.{name}"') + LIGHT
    driver = start(site, one_by_one)
    site.wait_for(lambda: len(up(site)) == 3, "three jobs")
    assert [(site.folder / name).read_text() for name in up(site)] == ["0 1\n", "1 1\n", "2 1\n"]
    goes_on = '[ -e again ] || { touch again "$SNAKEMAKE_QSUB_CONTINUE"; exit 75; }'
    let_go(site, a=goes_on, b="echo why; exit 3")
    site.wait_for(lambda: site.calls("qsub") == 2, "the second walltime")
    let_go(site, c="")
    output, _ = driver.communicate(timeout=60)
    assert driver.returncode != 0
    assert [(site.folder / name).exists() for name in "abc"] == [True, False, True], output
    assert output.count("message: exit code 1") == 1, "that of b"
    assert "returned non-zero exit status 3" in output
    assert "job 0.es1 (each name=a) goes on as job 1.es1: walltime 2 of at most 10" in output
    with (site.folder / ".snakemake/qsub/used.csv").open() as file:
        rows = {(row["title"], row["outcome"]): row["share"] for row in csv.DictReader(file)}
    assert rows == {
        ("each name=a", "goes on"): "1.0",
        ("each name=b", "failed"): "1.0",
        ("each name=c", "done"): "1.0",
        ("each name=a", "done"): "0.3333",
    }


@pytest.mark.fault("kill -9 of a driver whose jobs share a node", outcome="all are taken over")
def test_a_killed_driver_has_all_taken_over_and_one_alone_replaced(site):
    driver = start(site)
    site.wait_for(lambda: len(up(site)) == 3, "three jobs")
    driver.kill()
    driver.wait()
    driver = start(site, b=1)
    site.wait_for(lambda: "up.b.1" in up(site), "the job in the place of b")
    assert site.calls("qdel") == 0, "the others run on"
    assert site.qstat() == ["0.es1", "1.es1"]
    let_go(site, a="", b="", c="")
    output, _ = driver.communicate(timeout=60)
    assert driver.returncode == 0, output
    assert output.count("taking over job 0.es1") == 2 and site.calls("qsub") == 2


def test_an_end_of_all_is_told_of_each(site):
    driver = start(site)
    site.wait_for(lambda: len(up(site)) == 3, "three jobs")
    site.qdel("0.es1")
    output, _ = driver.communicate(timeout=60)
    assert driver.returncode != 0
    assert output.count("deleted with qdel, not by this workflow") == 3


def test_ctrl_c_deletes_the_job_that_they_share_once(site):
    driver = start(site)
    site.wait_for(lambda: len(up(site)) == 3, "three jobs")
    site.interrupt(driver)
    assert site.calls("qdel") == 1
    site.wait_for(lambda: not site.qstat(), "an empty queue")


def test_the_plan_shows_what_is_shared(site):
    site.write(f"EDITS = {{}}\n{SIBLINGS}")
    code, output = site.run(*WORDS, executor="qsub-plan", submit=SUBMIT)
    assert code == 0, output
    titles = ", ".join(f"each name={name}" for name in "abc")
    line = "-q rt_HF -l select=1:mpiprocs=3 -l walltime=00:02:00 -N each.a-and-2 -o scheduler.log"
    assert f"# {titles}\nqsub -P gxx00000 {line} job.sh\n#   fills 3 of the 4 tasks" in output
    cheaper = [word.replace("1/3", "1/4") for word in WORDS]
    code, output = site.run(*cheaper, executor="qsub-plan", submit=SUBMIT)
    assert len(re.findall(" -q rt_HG ", output, re.M)) == 3, "three quarters of a node are less"
