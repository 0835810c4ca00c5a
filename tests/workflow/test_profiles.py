"""What each profile asks a scheduler for, as Snakemake works it out, against what jobs need."""

import json
import re
import subprocess
import sys
from pathlib import Path

import pytest

from checkout import TINY, Checkout

# Snakemake's own command, with a line of JSON for each job in place of the plan's own.
DRIVER = """
import json, sys
import snakemake_executor_plugin_qsub_plan as plan
from snakemake_executor_plugin_slurm.submit_string import get_submit_command
from snakemake_executor_plugin_slurm.utils import set_gres_string
from snakemake.cli import main

def run_job(self, job):
    told = {"rule": job.rule.name, "local": self.stays_here(job), "threads": job.threads}
    told["resources"] = {name: str(value) for name, value in job.resources.items()}
    told["retries"] = job.rule.restart_times
    if "slurm" in " ".join(sys.argv) and not told["local"]:
        names = "run_uuid slurm_logfile comment_str account partition workdir"
        told["sbatch"] = get_submit_command(job, dict.fromkeys(names.split(), ""))
        told["sbatch"] += set_gres_string(job)
    print("JOB", json.dumps(told), flush=True)
    self.report_job_success(plan.SubmittedJobInfo(job))

plan.settings_of_qsub = lambda: plan.of_qsub.ExecutorSettings(submit="{script}")
plan.Executor.run_job = run_job
main()
"""
# Of a job: nodes, ranks a node, threads a rank, minutes, walltimes that it may take. All other jobs
# measure a model too, and need what evaluate needs.
# As many ranks as the configuration says; they decide the queue.
BY_QUEUE = {
    "build_environment": (None, None, None, "60", "1"),
    "smoke_test": ("1", "2", "1", "10", "1"),
    "train": ("1", "2", "1", "10", "10"),
    "evaluate": ("1", "1", "1", "10", "10"),
}
NEEDED = {
    **dict.fromkeys(("abci", "abci2", "pbs", "tsubame4"), BY_QUEUE),
    "slurm": {
        "build_environment": ("1", None, None, "30", None),
        "smoke_test": ("1", "2", "1", "10", None),
        "train": ("1", "2", "1", "60", None),
        "evaluate": ("1", "1", "1", "60", None),
    },
}
COLUMNS = ("nodes", "tasks_per_node", "threads_per_rank", "runtime", "max_walltimes")
SBATCH = {
    "build_environment": "-t 30 --nodes=1 --ntasks=1 --cpus-per-task=8",
    "smoke_test": "-t 10 --nodes=1 --ntasks-per-node=2 --cpus-per-task=1 --gres=gpu:2",
    "train": "-t 60 --nodes=1 --ntasks-per-node=2 --cpus-per-task=1 --gres=gpu:2",
    "evaluate": "-t 60 --nodes=1 --cpus-per-task=1 --gres=gpu:1",
}


@pytest.fixture(scope="module")
def asked(tmp_path_factory: pytest.TempPathFactory):
    """The jobs of a profile that a scheduler is given, by rule."""
    checkout = Checkout.fresh(tmp_path_factory.mktemp("profiles") / "checkout")
    datasets = {**TINY["datasets"], "again": TINY["datasets"]["digits"]}
    runs = {"runs": {"bounded": {"ais_images": 4}}, "scores": {"bounded": ["again"]}}
    checkout.configure({**TINY, "datasets": datasets, **runs})
    known = {}

    def jobs(profile):
        if profile not in known:
            words = ["--profile", f"profiles/{profile}", "--executor", "qsub-plan"]
            done = subprocess.run(
                [sys.executable, "-c", DRIVER, *words],
                cwd=checkout.folder,
                capture_output=True,
                text=True,
                timeout=120,
            )
            assert done.returncode == 0, done.stdout + done.stderr
            found = [json.loads(line) for line in re.findall("^JOB (.*)$", done.stdout, re.M)]
            known[profile] = {job["rule"]: job for job in found if not job["local"]}
        return known[profile]

    return jobs


def test_a_retry_asks_for_half_as_many_nodes(tmp_path: Path):
    """Down to the least; what is planned once is planned for the most."""
    checkout = Checkout.fresh(tmp_path / "checkout")
    checkout.configure({**TINY, "runs": {"elastic": {"nodes": [1, 4]}}})
    fails_twice = DRIVER.replace(
        "    self.report_job_success",
        "    if told['rule'] == 'train' and job.attempt < 3:\n"
        "        return self.report_job_error(plan.SubmittedJobInfo(job))\n"
        "    self.report_job_success",
    )
    words = ["--profile", "profiles/abci2", "--executor", "qsub-plan", "--retries", "2"]
    done = subprocess.run(
        [sys.executable, "-c", fails_twice, *words],
        cwd=checkout.folder,
        capture_output=True,
        text=True,
        timeout=120,
    )
    found = [json.loads(line) for line in re.findall("^JOB (.*)$", done.stdout, re.M)]
    asked = [
        (job["rule"], job["resources"]["nodes"], job["threads"])
        for job in found
        if job["rule"] in ("smoke_test", "train", "evaluate")
    ]
    tries = [("train", str(nodes), 2 * nodes) for nodes in (4, 2, 1)]
    bounded = {job["rule"] for job in found if job["resources"].get("nodes_least") == "1"}
    assert bounded == {"train", "evaluate"}
    assert asked == [("smoke_test", "4", 8), *tries, ("evaluate", "1", 8)], done.stderr


@pytest.mark.parametrize("profile", NEEDED)
def test_a_profile_asks_for_what_the_jobs_need(asked, profile):
    table = {
        rule: tuple(job["resources"].get(name) for name in COLUMNS)
        for rule, job in asked(profile).items()
    }
    needed = NEEDED[profile]
    assert needed.keys() < table.keys()
    assert table == {rule: needed.get(rule, needed["evaluate"]) for rule in table}


@pytest.mark.parametrize("profile", NEEDED)
def test_no_default_of_snakemakes_reaches_a_scheduler(asked, profile):
    """1 GB of memory and of disk, which nobody thought of."""
    for rule, job in asked(profile).items():
        kinds = [name for name in job["resources"] if name.startswith(("mem", "disk"))]
        assert kinds == [], rule


def test_the_words_that_sbatch_is_given(asked):
    """By the Slurm plugin itself."""
    given = {
        rule: " ".join(job["sbatch"].partition("--comment ''")[2].split())
        for rule, job in asked("slurm").items()
    }
    assert given == {rule: SBATCH.get(rule, SBATCH["evaluate"]) for rule in given}
    assert SBATCH.keys() < given.keys()


def rules_that_go_on() -> list[str]:
    """Those whose script is given a folder of --state, in which it goes on."""
    rules = Path(__file__).parents[2] / "workflow" / "rules"
    texts = "\n".join(path.read_text() for path in sorted(rules.glob("*.smk")))
    blocks = re.split(r"^ *rule (\w+):", texts, flags=re.M)[1:]
    return [name for name, body in zip(blocks[::2], blocks[1::2], strict=True) if "--state" in body]


@pytest.mark.parametrize("profile", NEEDED)
def test_every_rule_that_goes_on_after_a_walltime_may_do_so(asked, profile):
    assert {"train", "evaluate", "ais_bounds", "score"} <= set(rules_that_go_on())
    for rule in rules_that_go_on():
        job = asked(profile)[rule]
        walltimes = int(job["resources"].get("max_walltimes", 0))
        assert (job["retries"] if profile == "slurm" else walltimes) > 1, rule
