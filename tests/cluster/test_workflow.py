"""The workflow on Grid Engine: `--profile profiles/abci2` across two nodes, and every accident.

What the machine lacks is overridden, and nothing else: modules, and the time to wait for hours.
"""

import csv
import os
import re
import shutil
import signal
import subprocess
import sys
import warnings
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import pandas as pd
import pytest
import yaml
from grid_engine import GROUP, USER, Cluster
from head_checkout import LONG, TASKS, HeadCheckout
from linux_hosts import NODES

from checkout import TINY
from elboflow.reading.used import USED, read_jobs

FINISHED = {"plain": {}, "wide": {"latent_dim": 5, "nodes": 2}}
BOUNDED = {"bounded": {"epochs": 1200, "nodes": [1, 2]}}
METRICS = "results/runs/bounded/seed1/metrics.csv"
# As on a Grid Engine without ABCI's own words: a job is given a range of slots.
PLAIN = {
    "qsub-submit": '/usr/bin/qsub -terse -P "$ABCI_GROUP" -pe {queue} {slots} -l h_rt={walltime} '
    "-notify -N {name} -S /bin/bash -j y -o {log} {script}",
    "qsub-queues": ["part share=1/4", "full nodes=2 tasks_per_node=2 slots_per_node=4"],
}


class Site(HeadCheckout):
    """A checkout whose jobs go to Grid Engine."""

    profile = "profiles/abci2"

    def environment(self) -> dict[str, str]:
        return {**super().environment(), "ABCI_GROUP": GROUP, "TSUBAME_GROUP": GROUP}

    def adapt(self, **changes: Any) -> None:
        """Override what the machine lacks, and what a test wants otherwise."""
        values = yaml.safe_load((self.folder / self.profile / "profile.yaml").read_text())
        train = values["set-resources"]["train"]
        train["runtime"] = train["max_runtime"] = changes.pop("runtime", 10)
        train["max_walltimes"] = 40  # a machine with other work is many times slower
        (self.folder / "no_modules.sh").touch()
        here = {
            "set-resources": values["set-resources"],
            "qsub-prelude": "no_modules.sh",
            "qsub-poll": 1,
            "qsub-grace": 10,
            "latency-wait": 10,
            "retries": 0,
            **changes,
        }
        (self.folder / "here.yaml").write_text(yaml.safe_dump(here))

    def copy_to(self, name: str) -> "Site":
        """A copy of it in the user's home."""
        return Site(self.copy(self.cluster.home / name).folder)

    def queue(self) -> str:
        return self.cluster.run(["qstat", "-u", USER]).stdout

    def jobs(self) -> list[str]:
        """Ids of all jobs that are in the queue or running."""
        return re.findall(r"^ *(\d+) ", self.queue(), re.M)

    def undeleted(self) -> list[str]:
        """Ids of those that were not deleted: now and then Grid Engine leaves one that was (dr)."""
        states = re.findall(r"^ *(\d+) +\S+ +\S+ +\S+ +(\S+) ", self.queue(), re.M)
        return [job for job, state in states if "d" not in state]

    def clear(self) -> None:
        """Leave no job to the next test, not even one that Grid Engine does not get rid of."""
        if not (jobs := self.jobs()):
            return
        self.cluster.run(["qdel", *jobs])
        try:
            self.until(lambda: not self.jobs(), "the end of the jobs", seconds=90)
        except AssertionError:
            state = self.cluster.manage("qstat", "-f", "-u", "*")
            warnings.warn(f"jobs that qdel did not end are forced out:\n{state}", stacklevel=1)
            self.cluster.manage("qdel", "-f", *self.jobs())
            subprocess.run(["pkill", "-KILL", "-u", USER], check=False)
            self.until(lambda: not self.jobs(), "the end of the jobs")

    def accounted(self, job: str) -> str:
        """What the accounting says of a job that has ended, when it does."""
        words = ["qacct", "-j", job]
        self.until(lambda: not self.cluster.run(words).returncode, "the accounting")
        return self.cluster.run(words).stdout

    def logs(self, rule: str) -> list[Path]:
        return sorted((self.folder / "results/logs/qsub").glob(f"{rule}*.log"))


def reported(output: str) -> str:
    """The message of the one job that failed."""
    messages = re.findall(r"^    message: (.*?)For further error", output, re.M | re.S)
    assert len(messages) == 1, output
    return messages[0]


@pytest.fixture(scope="session")
def finished_once(cluster: Cluster) -> Site:
    """The tiny configuration, run to the report on both nodes."""
    Site.cluster = cluster
    site = Site.fresh(cluster.home / "finished")
    site.configure({**TINY, "runs": FINISHED})
    site.borrow_environment()
    site.adapt()
    driver = site.start()
    assert site.ends(driver) == 0, site.printed()
    return site


@pytest.fixture
def site(finished_once: Site, request: pytest.FixtureRequest) -> Site:
    """A copy of it, with a run `slow` more that takes as long as it is let."""
    made = finished_once.copy_to(re.sub(r"\W", "_", request.node.name))
    made.configure({**TINY, "runs": {**FINISHED, "slow": LONG}})
    yield made
    made.clear()


def test_the_profile_of_tsubame_crosses_both_nodes(site):
    """Its resource types are told by the ranks of a run: four on two nodes are full nodes."""
    site.profile = "profiles/tsubame4"
    site.configure({**TINY, "runs": FINISHED})
    site.adapt()
    assert site.ends(site.start("--forcerun", "smoke_test", "--", "smoke_test")) == 0, (
        site.printed()
    )
    ranks = pd.read_csv(site.folder / "results/machine/smoke_test/ranks.csv")
    assert sorted(ranks["host"]) == sorted(NODES * TASKS)


def test_smoke_test_and_training_cross_both_nodes(finished_once):
    finished_once.crosses_both_nodes("wide")
    page = (finished_once.folder / "results/machine.html").read_text()
    assert all(node in page for node in NODES)


def test_the_results_are_those_of_one_machine(finished_once):
    """The same numbers of ranks, started by one mpirun on the head."""
    local = Site.fresh(finished_once.cluster.home / "local")
    shutil.copy(finished_once.config, local.config)
    local.borrow_environment()
    local.hand_over()
    words = [sys.executable, "-m", "snakemake", "--cores", "2", "--config", "tasks_per_node=2"]
    done = local.cluster.run(words, cwd=local.folder, env=local.environment(), timeout=400)
    assert done.returncode == 0, done.stdout + done.stderr
    for run in ("plain", "wide"):
        here, there = (
            pd.read_csv(each.folder / f"results/runs/{run}/seed1/metrics.csv")
            for each in (local, finished_once)
        )
        pd.testing.assert_frame_equal(here, there, rtol=1e-5)
    # The report names the words of --config; all else in it comes from these.
    for name in ("tables/runs.csv", "tables/summary.csv", "figures/rate_distortion.svg"):
        here, there = (each.folder / "results" / name for each in (local, finished_once))
        assert here.read_bytes() == there.read_bytes(), name


def test_trainings_share_a_node_and_the_one_that_fails_is_reported_with_its_log(site):
    """Four of one rank each are one job of a full node, asked for and charged as was planned."""
    used = site.folder / USED
    used.unlink()
    dimensions = (3, 4, 6)
    small = {"keys": {"tasks_per_node": 1}, "grid": {"latent_dim": list(dimensions)}}
    broken = {"learning_rate": 10, "epochs": 50, "tasks_per_node": 1}
    site.configure({**TINY, "runs": {**FINISHED, "broken": broken}, "sweeps": {"small": small}})
    site.adapt(**{"qsub-pack": 4})
    runs = ("broken", *(f"small-latent_dim_{each}" for each in dimensions))
    metrics = [f"results/runs/{run}/seed1/metrics.csv" for run in runs]
    plan = site.on_the_head("--executor", "qsub-plan", "--", *metrics).stdout
    assert site.ends(site.start("--", *metrics)) != 0

    message = reported(site.printed())
    assert message.startswith("exit code 1\n")
    (log,) = site.logs("train.broken")
    assert f"{log}" in message
    assert "error: broken seed 1: the objective or its gradient is not finite" in message
    there = [(site.folder / path).exists() for path in metrics]
    assert there == [False, True, True, True], "one that fails takes no other down"
    assert len(site.logs("train.small")) == 3
    (job,) = read_jobs(used)
    assert (job.queue, job.share) == ("rt_F", 1.0)
    assert re.search(rf"^rt_F +1 +{job.asked:.2f} +{job.asked:.2f} ", plan, re.M), plan
    (number,) = {row["job"] for row in csv.DictReader(used.read_text().splitlines())}
    accounted = int(re.search(r"^ru_wallclock +(\d+)", site.accounted(number), re.M)[1])
    assert 0 <= accounted - 3600 * job.used < 20, "what surrounds the scripts"


@pytest.fixture(scope="module")
def bounded(finished_once: Site) -> Iterator[Site]:
    """A training over walltimes, of a minute each, of which 45 s are left for saving.

    In the second one a rank dies, and one of the nodes takes no more jobs until it is tried again.
    """
    site = finished_once.copy_to("bounded")
    site.configure({**TINY, "runs": {**FINISHED, **BOUNDED}})
    site.adapt(runtime=1, retries=1, **PLAIN)
    driver = site.start()
    site.until(lambda: len(site.logs("train.bounded")) == 2, "the second walltime")
    site.cluster.manage("qmod", "-d", f"all.q@{NODES[1]}")
    kill = ["pkill", "-KILL", "--newest", "-u", USER, "-f", "python -Esu workflow/scripts/train.py"]
    try:
        site.until(lambda: not subprocess.run(kill, check=False).returncode, "a rank")
        site.until(lambda: len(site.logs("train.bounded")) == 3, "the second try")
    finally:
        site.cluster.manage("qmod", "-e", f"all.q@{NODES[1]}")
    assert site.ends(driver) == 0, site.printed()
    yield site
    site.clear()


def test_a_training_goes_on_over_walltimes_and_is_one_job_to_snakemake(bounded):
    told = bounded.printed()
    assert "(train run=bounded seed=1) goes on as job" in told
    assert "walltime 2 of at most 40" in told
    assert len(re.findall("^rule train:", told, re.M)) == 2, "two tries"
    speed = pd.read_json(bounded.folder / "results/machine/train/bounded/seed1.json", typ="series")
    assert 0 < speed["started_at_step"] < speed["steps"]
    assert (speed["ranks"], speed["hosts"]) == (4, list(NODES))


def test_a_try_after_a_failure_starts_on_the_nodes_that_are_free(bounded):
    """On one of two at once, and after its walltime on both again."""
    assert "train run=bounded seed=1: asks for any number of nodes, 1 to 2" in bounded.printed()
    rows = csv.DictReader((bounded.folder / USED).read_text().splitlines())
    jobs = [row for row in rows if row["title"] == "train run=bounded seed=1"]
    assert [(row["nodes"], row["outcome"]) for row in jobs] == [
        *(("2", "goes on"), ("2", "failed"), ("1", "goes on")),
        *[("2", "goes on")] * (len(jobs) - 4),
        ("2", "done"),
    ]
    assert re.search(r"^slots +4 *$", bounded.accounted(jobs[2]["job"]), re.M)


def test_its_results_are_those_of_a_training_that_nothing_stops(bounded, finished_once):
    here = finished_once.copy_to("unbroken")
    shutil.copy(bounded.config, here.config)
    here.hand_over()
    words = [sys.executable, "-m", "snakemake", "--cores", "4", "--", METRICS]
    done = here.cluster.run(words, cwd=here.folder, env=here.environment(), timeout=400)
    assert done.returncode == 0, done.stdout + done.stderr
    one, other = (pd.read_csv(each.folder / METRICS) for each in (here, bounded))
    pd.testing.assert_frame_equal(one, other, rtol=1e-5)


def test_a_job_killed_at_its_walltime_is_reported_as_that(site):
    """Grid Engine kills it long before the time that it was told it has."""
    profile = yaml.safe_load((site.folder / "profiles/abci2/profile.yaml").read_text())
    submit = profile["qsub-submit"].replace("{walltime}", "0:0:10")
    site.adapt(**{"qsub-submit": submit})
    assert site.ends(site.start()) != 0
    message = reported(site.printed())
    assert message.startswith("killed at its walltime of 00:10:00")
    assert "qmaster enforced h_rt" in message


def training(site: Site) -> subprocess.Popen[str]:
    """A driver whose job trains."""
    site.adapt()
    driver = site.start()
    site.until(lambda: any("images/s" in log.read_text() for log in site.logs("train.slow")), "it")
    return driver


def test_a_job_that_someone_deletes_is_reported(site):
    driver = training(site)
    site.cluster.run(["qdel", *site.jobs()])
    assert site.ends(driver) != 0
    assert "killed from outside: by qdel" in reported(site.printed())


def test_ctrl_c_leaves_no_job(site):
    driver = training(site)
    assert site.undeleted()
    os.killpg(driver.pid, signal.SIGINT)
    assert site.ends(driver) != 0
    site.until(lambda: not site.undeleted(), "the deletion of the jobs")


def test_a_driver_killed_and_started_again_takes_its_job_over(site):
    driver = training(site)
    driver.kill()
    driver.wait()
    (job,) = site.jobs()
    second = site.start()
    site.until(lambda: f"taking over job {job}" in site.printed(), "the take-over")
    assert site.jobs() == [job]
    assert len(site.logs("train.slow")) == 1
    refused = site.on_the_head()
    assert refused.returncode != 0
    lines = [line for line in (refused.stdout + refused.stderr).splitlines() if "at work" in line]
    assert len(lines) == 1 and lines[0].startswith("another Snakemake is at work in this directory")
    os.killpg(second.pid, signal.SIGINT)
    site.ends(second)


def test_a_scheduler_that_is_away_for_a_while_loses_nothing(site):
    site.configure({**TINY, "runs": {**FINISHED, "slow": {"epochs": 1500}}})
    driver = training(site)
    site.cluster.stop_qmaster()
    site.until(lambda: "gave no answer that can be read" in site.printed(), "the silence")
    site.cluster.start_qmaster()
    assert site.ends(driver) == 0, site.printed()
    assert len(site.logs("train.slow")) == 1


def test_a_job_that_starts_late_runs_what_was_submitted(site):
    site.configure({**TINY, "runs": {**FINISHED, "slow": {"epochs": 4}}})
    site.adapt()
    site.cluster.manage("qmod", "-d", "all.q")
    driver = site.start()
    site.until(site.jobs, "the submission")
    site.configure({**TINY, "runs": {**FINISHED, "slow": {"epochs": "a mistake"}}})
    site.cluster.manage("qmod", "-e", "all.q")
    assert site.ends(driver) == 0, site.printed()
    metrics = pd.read_csv(site.folder / "results/runs/slow/seed1/metrics.csv")
    assert metrics["epoch"].tolist() == [1, 2, 3, 4]
