"""The cluster itself: two nodes that MPI crosses, and the site's additions."""

import re
import shutil
import subprocess
import sys
import textwrap
from collections.abc import Callable
from pathlib import Path

import pytest
from grid_engine import GROUP, USER, Cluster
from linux_hosts import NODES

Submit = Callable[..., str]
PLUGIN = Path(__file__).parents[2] / "plugins" / "snakemake-executor-plugin-qsub"


@pytest.fixture
def submit(cluster: Cluster) -> Submit:
    """Run a job to its end and hand back what it has printed."""

    def to_end(script: str, *options: str) -> str:
        job = cluster.run(["mktemp", "--tmpdir=.", "jobXXXX"]).stdout.strip()
        cluster.run(["tee", job], input=f"#!/bin/bash\n{textwrap.dedent(script)}")
        words = ["qsub", "-terse", "-sync", "y", "-g", GROUP, "-j", "y", "-cwd", "-o", f"{job}.log"]
        submitted = cluster.run([*words, *options, job])
        assert submitted.returncode == 0, submitted
        return (cluster.home / f"{job}.log").read_text()

    return to_end


def test_mpirun_crosses_both_nodes(submit: Submit) -> None:
    script = "mpirun -np 8 --map-by ppr:4:node hostname"
    ranks = submit(script, "-l", "rt_F=2,h_rt=0:01:00").split()
    assert sorted(ranks) == sorted(NODES * 4)


def test_a_job_has_the_variables_of_the_site(submit: Submit) -> None:
    script = """\
        echo $NHOSTS $(sort "$SGE_JOB_HOSTLIST")
        [ -w "$SGE_LOCALDIR" ] && echo writable
    """
    assert submit(script, "-l", "rt_F=2") == f"2 {' '.join(NODES)}\nwritable\n"
    assert submit(script, "-l", "rt_C.small=1").startswith("1 g000")


def test_a_job_can_leave_hosts_out(submit: Submit) -> None:
    """As --qsub-exclude says it."""
    for left_out, other in (NODES, NODES[::-1]):
        words = ("-l", "rt_C.small=1", "-l", f"h=!({left_out}|g0999)")
        assert submit("uname -n", *words).split() == [other]


@pytest.mark.parametrize(
    ("options", "reason"),
    [
        (["-l", "rt_F=1"], 'the requested project "abci" does not exist'),
        (["-g", "gyy00000", "-l", "rt_F=1"], 'the requested project "gyy00000" does not exist'),
        (["-g", GROUP], "Resource type is not specified"),
        (["-g", GROUP, "-l", "rt_X=1"], "SIM0021 invalid option value"),
    ],
)
def test_the_site_refuses(cluster: Cluster, options: list[str], reason: str) -> None:
    refused = cluster.run(["qsub", "-b", "y", *options, "/bin/true"])
    assert (refused.returncode, refused.stdout) == (1, "")
    assert f"Unable to run job: job rejected: {reason}" in refused.stderr


def test_the_user_is_on_the_head_and_keeps_its_process_id(cluster: Cluster) -> None:
    process = cluster.popen(["sh", "-c", "echo $$; id -un; hostname"], stdout=subprocess.PIPE)
    assert process.communicate()[0].split() == [str(process.pid), "abci", "es1"]


def test_the_first_run_of_the_executors_readme(cluster: Cluster) -> None:
    """As it stands there, but for what this site wants besides."""
    text, folder = (PLUGIN / "README.md").read_text(), cluster.home / "first_run"
    folder.mkdir()
    (folder / "Snakefile").write_text(re.findall(r"```python\n(.*?)```", text, re.DOTALL)[0])
    shutil.chown(folder, USER)
    commands = re.findall(r"```sh\n(snakemake .*?)```", text, re.DOTALL)
    (command,) = [each for each in commands if "--qsub-dialect gridengine" in each]
    command = command.replace("'qsub ", f"'qsub -g {GROUP} -l rt_C.small=1 ")
    path = f"{Path(sys.executable).parent}:/usr/bin:/bin"
    done = cluster.run(["bash", "-c", command], cwd=folder, env={"PATH": path}, timeout=200)
    assert done.returncode == 0, done.stderr
    assert (folder / "hello.txt").read_text().strip() in NODES
