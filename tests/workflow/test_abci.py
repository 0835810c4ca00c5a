"""The profile of ABCI: what a user types, on a machine without PBS and on the stand-in for it."""

import os
import re
import socket
from collections import Counter
from pathlib import Path

import pandas as pd
import pytest
import yaml

from checkout import submit_lines

STAND_IN = Path(__file__).parents[2] / "plugins/snakemake-executor-plugin-qsub/tests/pbs_stand_in"
FOLDERS = ("abci", "abci2", "pbs", "tsubame4", "slurm", "local")
PROFILES = ["abci", *(f"profiles/{name}" for name in FOLDERS)]


@pytest.mark.parametrize("profile", PROFILES)
def test_every_profile_lists_the_jobs_without_a_scheduler(fresh, profile):
    plan = fresh.planned("--profile", profile)
    assert (plan["smoke_test"], plan["train"], plan["evaluate"]) == (1, 10, 10)


@pytest.mark.parametrize(
    ("profile", "variable"),
    [
        ("abci", "ABCI_GROUP"),
        ("profiles/abci2", "ABCI_GROUP"),
        ("profiles/tsubame4", "TSUBAME_GROUP"),
    ],
)
@pytest.mark.parametrize("group", [None, ""])
def test_without_a_group_nothing_starts(fresh, monkeypatch, profile, variable, group):
    monkeypatch.delenv(variable, raising=False)
    result = fresh.snakemake("--profile", profile, **({} if group is None else {variable: group}))
    assert result.returncode != 0
    told = f"{variable} is not set" if group is None else "nothing stands after -"
    assert len([line for line in result.stdout.splitlines() if line.startswith(told)]) == 1
    assert not (fresh.folder / "results").exists()


def test_the_plan_shows_every_submit_line_and_the_cost(fresh):
    plan = ("--executor", "qsub-plan")
    result = fresh.snakemake("--profile", "abci", *plan, ABCI_GROUP="gxx00000")
    assert result.returncode == 0, result.stdout
    lines = submit_lines(result.stdout)
    jobs = Counter(name.split()[0] for name in lines)
    assert jobs.pop("build_environment") == jobs.pop("smoke_test") == 1
    assert jobs == {"train": 10, "evaluate": 10, "ais_bounds": 4}
    assert lines["train run=beta_4 seed=1"] == (
        "qsub -P gxx00000 -q rt_HG -l select=1:mpiprocs=1 -l walltime=00:10:00 -v USE_SSH=0 "
        "-N train.beta_4.1 -m n -j oe -o scheduler.log job.sh"
    )
    two_gpus = " -q rt_HF -l select=1:mpiprocs=2 -l walltime=00:10:00 -v USE_SSH=1 "
    for name in ("smoke_test", "train run=large_latent seed=1"):
        assert two_gpus in lines[name]
    for rule in ("evaluate", "ais_bounds"):
        assert " -q rt_HG -l select=1:mpiprocs=1 " in lines[f"{rule} run=large_latent seed=1"]
    assert " -q rt_HG -l select=1:mpiprocs=1 " in lines["build_environment"]
    # 10 minutes each: the smoke test and 2 trainings, and on an eighth of a node 8 trainings,
    # 10 evaluations and 4 times AIS; the environment an hour. At most 2 tries of 10 walltimes each.
    assert "rt_HF              3        0.50      0.50          42         58.33" in result.stdout
    assert "all               26        5.17      1.08         484        138.33" in result.stdout


@pytest.mark.parametrize(("profile", "others"), [(10, "00:10:00"), ("attempt * 30", "00:30:00")])
def test_a_run_may_say_its_walltime(fresh, tiny, profile, others):
    """Above what a profile says, which may be an expression."""
    fresh.configure(tiny("long", runtime=90))
    resources = {"set-resources": {"train": {"runtime": profile}}}
    (fresh.folder / "own.yaml").write_text(yaml.safe_dump(resources))
    plan = ("--profile", "own.yaml", "--executor", "qsub-plan")
    lines = submit_lines(fresh.snakemake("--profile", "abci", *plan, ABCI_GROUP="g").stdout)
    asked = {name: re.search(r"walltime=(\S+)", line)[1] for name, line in lines.items()}
    assert asked["train run=long seed=1"] == "01:30:00"
    assert asked["train run=plain seed=1"] == others
    assert asked["evaluate run=long seed=1"] != "01:30:00"


@pytest.mark.parametrize("as_config", [True, False])
def test_all_runs_train_on_whole_nodes_where_one_line_says_so(fresh, as_config):
    (fresh.folder / "whole.yaml").write_text("set-resources: {train: {tasks_per_node: 8}}")
    words = ["--config", "tasks_per_node=8"] if as_config else ["--profile", "whole.yaml"]
    plan = ("--executor", "qsub-plan")
    result = fresh.snakemake("--profile", "abci", *words, *plan, ABCI_GROUP="gxx00000")
    assert result.returncode == 0, result.stdout
    for name, line in submit_lines(result.stdout).items():
        if name.startswith(("train", "smoke_test")):
            assert " -q rt_HF -l select=1:mpiprocs=8 " in line


@pytest.mark.parametrize("given", ["for one call", "by a run"])
def test_nodes_are_a_resource_of_a_run(fresh, tiny, given):
    """The smoke test runs at the widest; --config nodes holds for one call and for all runs."""
    fresh.configure(tiny("wide", nodes=2) if given == "by a run" else tiny())
    call = ["--config", "nodes=3"] if given == "for one call" else []
    plan = ("--executor", "qsub-plan")
    result = fresh.snakemake("--profile", "profiles/abci2", *plan, *call, ABCI_GROUP="g")
    assert result.returncode == 0, result.stdout
    lines = submit_lines(result.stdout)
    asked = {
        name: re.search(r"rt_F=(\d)", line)[1] for name, line in lines.items() if "rt_F" in line
    }
    names = ("train run=plain seed=1", "train run=wide seed=1", "smoke_test")
    assert [asked[name] for name in names] == (["1", "2", "2"] if not call else ["3", "3", "3"])


def test_the_ranks_of_a_profile_are_checked_against_the_batch(fresh, tiny):
    """4 ranks a node on 12 nodes are more than the 40 test images."""
    fresh.configure(tiny("wide", nodes=12))
    result = fresh.snakemake("-n", "--set-resources", "train:tasks_per_node=4")
    assert result.returncode != 0
    assert (
        "config: runs.wide: 48 ranks are more than the 40 images of a batch or split"
        in result.stdout
    )


@pytest.mark.parametrize("value", ["0", "many", "2.5"])
def test_a_wrong_number_of_nodes_is_one_line(fresh, value):
    result = fresh.snakemake("-n", "--config", f"nodes={value}")
    assert result.returncode != 0
    assert re.search(r"^config: nodes: ", result.stdout, re.M)


# What the stand-in's machine lacks of a site: modules, and time to wait.
HERE = yaml.safe_dump({"qsub-prelude": "no_modules.sh", "qsub-poll": 1, "latency-wait": 5})


def test_the_workflow_runs_through_the_profile_on_the_stand_in(
    fresh, finished_once, tiny, tmp_path
):
    """PBS has no package: its stand-in runs the jobs, one node each, which is this machine.

    They read a copy of the configuration, whose name is not that of the experiment.
    """
    (fresh.folder / "mine.yaml").write_text(yaml.safe_dump(tiny()))
    fresh.borrow_environment()
    # Modules of a site's own Python, which are not for that of the workflow.
    (fresh.folder / "no_modules.sh").write_text("export PYTHONHOME=/nowhere CDPATH=/ BASH_ENV=/\n")
    (fresh.folder / "here.yaml").write_text(HERE)
    site = {
        "PATH": f"{STAND_IN}{os.pathsep}{os.environ['PATH']}",
        "PBS_STAND_IN": str(tmp_path / "pbs"),
        "PBS_STAND_IN_NODES": socket.gethostname(),
        "ABCI_GROUP": "gxx00000",
    }
    mine = ("--configfile", "mine.yaml")
    result = fresh.snakemake("--profile", "abci", "--profile", "here.yaml", *mine, **site)
    assert result.returncode == 0, result.stdout
    calls = (tmp_path / "pbs" / "calls.log").read_text().split("\n")
    assert sum(call.startswith("qsub ") for call in calls) == 5, (
        "1 smoke test, 2 x train and evaluate"
    )
    assert pd.read_csv(fresh.folder / "results/machine/smoke_test/ranks.csv")["size"].tolist() == [
        2,
        2,
    ]
    for name in ("tables/runs.csv", "figures/samples.svg", "runs/plain/seed1/model.safetensors"):
        there, here = fresh.folder / "results/mine" / name, finished_once.folder / "results" / name
        assert there.read_bytes() == here.read_bytes()
    assert (fresh.folder / "results/mine/report.html").exists()
    assert not (fresh.folder / "results/runs").exists()


def test_the_smoke_test_runs_through_the_generic_profile(fresh, tiny, tmp_path):
    """As its README says: what a site writes are queues, what it wants besides, and the prelude."""
    fresh.configure(tiny())
    fresh.borrow_environment()
    (fresh.folder / "no_modules.sh").touch()
    profile = yaml.safe_load((fresh.folder / "profiles/pbs/profile.yaml").read_text())
    here = {
        **yaml.safe_load(HERE),
        "qsub-submit": profile["qsub-submit"].replace("qsub ", "qsub -P gxx00000 ", 1),
        "qsub-queues": ["rt_HF nodes=128 tasks_per_node=8 ncpus=16"],
    }
    (fresh.folder / "here.yaml").write_text(yaml.safe_dump(here))
    site = {
        "PATH": f"{STAND_IN}{os.pathsep}{os.environ['PATH']}",
        "PBS_STAND_IN": str(tmp_path / "pbs"),
        "PBS_STAND_IN_NODES": socket.gethostname(),
    }
    profiles = ("--profile", "profiles/pbs", "--profile", "here.yaml")
    result = fresh.snakemake(*profiles, "smoke_test", **site)
    assert result.returncode == 0, result.stdout
    ranks = pd.read_csv(fresh.folder / "results/machine/smoke_test/ranks.csv")
    assert ranks["size"].tolist() == [2, 2]
