"""The workflow on a real OpenPBS: `--profile profiles/pbs` across two nodes, to one that dies.

Of the profile times alone are overridden. Open MPI knows no PBS here and the nodes take no ssh:
what starts ranks on the second node is the profile's on_host.sh.
"""

import csv
import os
import re
import signal
import subprocess
import sys
from collections.abc import Iterator
from pathlib import Path

import linux_hosts
import pytest
import yaml
from grid_engine import USER, Cluster
from head_checkout import LONG, HeadCheckout

from checkout import TINY
from elboflow.reading.used import USED

sys.path.insert(0, str(Path(__file__).parent))

import pbs_server

RUNS = {
    "wide": {"latent_dim": 5, "nodes": 2},
    "slow": {**LONG, "compile": False, "nodes": [1, 2]},
}
WIDE, SLOW = "results/runs/wide/seed1/summary.csv", "results/runs/slow/seed1/metrics.csv"


class Site(HeadCheckout):
    """A checkout whose jobs go to PBS."""

    profile = "profiles/pbs"

    def adapt(self) -> None:
        profile = yaml.safe_load((self.folder / self.profile / "profile.yaml").read_text())
        resources = profile["set-resources"]
        resources["train"]["runtime"] = "1 if wildcards.run == 'slow' else 10"
        resources["train"]["max_runtime"] = resources["train"]["runtime"]
        here = {"set-resources": resources, "qsub-poll": 1, "qsub-grace": 20, "latency-wait": 10}
        (self.folder / "here.yaml").write_text(yaml.safe_dump(here))

    def queue(self) -> str:
        return self.cluster.run(["qstat", "-f"]).stdout

    def hosts(self) -> list[str]:
        """Those of the one job that runs, as soon as a rank does."""
        rank = ["pgrep", "-u", USER, "-f", "python -Esu workflow/scripts/train.py"]
        given = re.search(r"exec_host = (\S+)", self.queue())
        runs = given and not subprocess.run(rank, stdout=subprocess.DEVNULL, check=False).returncode
        return [each.partition("/")[0] for each in given[1].split("+")] if runs else []

    def used(self) -> list[tuple[str, str]]:
        """The nodes of each job that trained `slow`, and what became of it."""
        rows = csv.DictReader((self.folder / USED).read_text().splitlines())
        return [(row["nodes"], row["outcome"]) for row in rows if "run=slow" in row["title"]]


@pytest.fixture(scope="module")
def interrupted(cluster: Cluster) -> Iterator[Site]:
    """A short run over both nodes, and a long one whose second job loses its first node.

    Ctrl-C ends the third.
    """
    Site.cluster = pbs_server.start(cluster)
    site = Site.fresh(cluster.home / "pbs")
    site.configure({**TINY, "runs": RUNS})
    site.borrow_environment()
    site.adapt()
    driver = site.start(WIDE, SLOW)
    try:
        site.until((site.folder / WIDE).exists, "the short run")
        site.until(lambda: "walltime 2 of" in site.printed(), "the second walltime")
        site.until(lambda: len(site.hosts()) == 2, "a training on both")
        linux_hosts.kill_processes(site.hosts()[0])
        site.until(lambda: len(site.hosts()) == 1, "a try after the node was lost")
        os.killpg(driver.pid, signal.SIGINT)
        assert site.ends(driver) != 0
        yield site
    finally:
        driver.kill()


def test_smoke_test_and_training_cross_both_nodes(interrupted: Site) -> None:
    interrupted.crosses_both_nodes("wide")


def test_a_training_goes_on_after_its_walltime(interrupted: Site) -> None:
    assert "goes on as job" in interrupted.printed()
    logs = (interrupted.folder / "results/logs/qsub").glob("train.slow*.log")
    told = "".join(path.read_text() for path in logs)
    saved = re.findall(r"time of this job is up; saved at step (\d+) of", told)
    assert saved and len(set(saved)) == len(saved), "each later than the one before"


def test_a_job_whose_node_dies_is_tried_again_on_the_other(interrupted: Site) -> None:
    told = interrupted.printed()
    assert "message: its node was lost (Job run at" in told
    assert "train run=slow seed=1: asks for nodes=1, of 1 to 2: 1 free" in told
    assert set(interrupted.used()) >= {("2", "goes on"), ("2", "failed")}


def test_ctrl_c_leaves_no_job(interrupted: Site) -> None:
    interrupted.until(lambda: not interrupted.queue().strip(), "the end of the jobs", seconds=60)
