"""The workflow on Slurm: `--profile profiles/slurm` across two nodes, over a walltime, to Ctrl-C.

What the machine lacks is overridden, and nothing else: accounting, and the time to wait for hours.
"""

import os
import re
import signal
from collections.abc import Iterator

import pytest
import slurm
import yaml
from grid_engine import Cluster
from head_checkout import LONG, HeadCheckout
from linux_hosts import NODES
from slurm import Ended

from checkout import TINY
from elboflow.pages.machine import cost_of
from elboflow.reading.speeds import read_speeds

# Is tried again on as many nodes as are idle.
ENDLESS = {**LONG, "compile": False, "nodes": [1, 2]}
WIDE, SLOW = "results/runs/wide/seed1/summary.csv", "results/runs/slow/seed1/metrics.csv"


class Site(HeadCheckout):
    """A checkout whose jobs go to Slurm."""

    profile = "profiles/slurm"
    plan: str  # of the short run

    def adapt(self) -> None:
        profile = yaml.safe_load((self.folder / self.profile / "profile.yaml").read_text())
        resources = profile["set-resources"]
        resources["train"]["runtime"] = "1 if wildcards.run == 'slow' else 10"
        here = {
            "set-resources": resources,
            "slurm-status-command": "squeue",
            "slurm-init-seconds-before-status-checks": 1,
            "latency-wait": 10,
        }
        (self.folder / "here.yaml").write_text(yaml.safe_dump(here))

    def accounted(self, job: str) -> Ended:
        """What the one job of a rule has used, behind which its wildcards stand."""
        (number,) = re.findall(rf"/rule_{job}/(\d+)\.log\)", self.printed())
        return slurm.ended(self.cluster)[int(number)]

    def queue(self) -> str:
        """The jobs that wait, run or are about to end."""
        return self.cluster.run(["squeue", "--noheader"]).stdout

    def tries(self) -> list[str]:
        """What each job has printed that trained `slow`."""
        folder = self.folder / ".snakemake/slurm_logs/rule_train/slow_1"
        paths = sorted(folder.glob("*.log"), key=lambda path: int(path.stem))
        return [path.read_text() for path in paths]

    def saved(self) -> list[int]:
        """The steps at which tries before the present one have saved their state."""
        former = "".join(self.tries()[:-1])
        return list(map(int, re.findall(r"time of this job is up; saved at step (\d+) of", former)))

    def epoch(self) -> int:
        """The last epoch that the present try has told of; 0 before."""
        return max(map(int, re.findall(r"images/s, .* epoch (\d+)", self.tries()[-1])), default=0)


@pytest.fixture(scope="module")
def interrupted(cluster: Cluster) -> Iterator[Site]:
    """A short run over both nodes, and a long one that was stopped by Ctrl-C in its third try.

    One of the nodes takes no more jobs from its second try on.
    """
    if (reasons := slurm.missing()) and os.environ.get("CI") != "true":
        pytest.skip(f"no Slurm here: {'; '.join(reasons)}")
    Site.cluster = cluster
    slurm.start(cluster)
    site = Site.fresh(cluster.home / "slurm")
    site.configure({**TINY, "runs": {"wide": {"latent_dim": 5, "nodes": 2}, "slow": ENDLESS}})
    site.borrow_environment()
    site.adapt()
    site.plan = site.on_the_head("--executor", "qsub-plan", "--", WIDE).stdout
    driver = site.start(WIDE, SLOW)
    try:
        site.until((site.folder / WIDE).exists, "the short run")
        site.until(lambda: len(site.tries()) == 2, "the second try", seconds=400)
        slurm.drain(cluster, NODES[1])
        site.until(lambda: len(site.tries()) == 3, "the third", seconds=400)
        site.until(site.epoch, "its training")
        os.killpg(driver.pid, signal.SIGINT)
        assert site.ends(driver) != 0
        yield site
    finally:
        driver.kill()


def test_smoke_test_and_training_cross_both_nodes(interrupted: Site) -> None:
    interrupted.crosses_both_nodes("wide")


def test_a_training_goes_on_in_the_next_try(interrupted: Site) -> None:
    """Half of a job's minute is for saving; a training that began anew would be far behind."""
    steps_per_epoch = 1697 / TINY["defaults"]["batch_size"]
    assert 0 < interrupted.saved()[-1] < (interrupted.epoch() + 1) * steps_per_epoch


def test_a_further_try_asks_for_the_nodes_that_are_idle(interrupted: Site) -> None:
    """And its job starts ranks on as many."""
    asked = re.findall(r"nodes=(\d), .*runtime=1,", interrupted.printed())
    told = re.findall(
        r"run=slow seed=1, try \d+: asks for nodes=(\d), of 1 to 2: (\d) idle",
        interrupted.printed(),
    )
    assert asked == ["2", *(nodes for nodes, _ in told)] and told[-1] == ("1", "1")
    assert {nodes for nodes, idle in told if idle == "2"} <= {"2"}
    assert len(asked) == len(interrupted.tries())
    started = [re.findall(r"--nodes (\d)", text)[:1] for text in interrupted.tries()[:-1]]
    assert started == [[nodes] for nodes in asked[:-1]]


def test_node_hours_are_those_that_were_planned_and_that_are_told(interrupted: Site) -> None:
    """By what Slurm has written of the jobs; an evaluation needs one GPU, whatever trained."""
    jobs = [interrupted.accounted(job) for job in ("smoke_test", "train/wide_1", "evaluate/wide_1")]
    assert [job.nodes for job in jobs] == [2, 2, 1]
    asked = sum(job.asked for job in jobs)
    shares = sum(job.asked * share for job, share in zip(jobs, (1 / 2, 1 / 2, 1 / 4), strict=True))
    last = interrupted.plan.splitlines()[-2]
    assert last.split()[:4] == ["all", "3", f"{asked:.2f}", f"{shares:.2f}"], interrupted.plan
    for rule, job in zip(("train", "evaluate"), jobs[1:], strict=True):
        speeds = read_speeds([interrupted.folder / f"results/machine/{rule}/wide/seed1.json"])
        told = cost_of(speeds)["node_hours"]
        assert 0 <= 3600 * (job.used - told) < 60 * job.nodes, "what surrounds the launcher"


def test_ctrl_c_leaves_no_job(interrupted: Site) -> None:
    interrupted.until(lambda: not interrupted.queue(), "the end of the jobs", seconds=60)
