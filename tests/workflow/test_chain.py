"""From a checkout to a report, and the same report from another checkout."""

import base64
import importlib.util
import json
import os
import shlex
import shutil
import subprocess

import pandas as pd
import pytest

from checkout import ENVIRONMENT, REPOSITORY, Checkout


def bytes_of_results(checkout):
    results = checkout.folder / "results"
    files = [results / "report.html", *results.glob("tables/*"), *results.glob("figures/*")]
    files += [*results.glob("runs/*/seed*/model.*"), *results.glob("runs/*/seed*/README.md")]
    return {str(file.relative_to(results)): file.read_bytes() for file in files}


def test_the_chain_ends_in_two_reports(finished_once):
    results = finished_once.folder / "results"
    assert "log p(x)" in (results / "report.html").read_text()
    assert (results / "machine.html").stat().st_size > 0
    runs = pd.read_csv(results / "tables" / "runs.csv")
    assert set(runs["run"]) == {"plain", "wide"}
    counts = runs.loc[runs["quantity"] == "log_likelihood", "images"]
    assert counts.tolist() == [40, 40]
    metrics = pd.read_csv(results / "runs" / "plain" / "seed1" / "metrics.csv")
    assert metrics["epoch"].tolist() == [1, 2, 3]
    assert metrics["validation_elbo_nats"].iloc[-1] > metrics["validation_elbo_nats"].iloc[0]


def test_another_checkout_gives_the_same_bytes(finished_once, tmp_path, tiny):
    """Both really train; the second one under another path, locale and hash seed."""
    other = type(finished_once).fresh(tmp_path / "another=place" / "größer,%40")
    other.configure(tiny())
    other.borrow_environment()
    result = other.snakemake("--cores", "1", PYTHONHASHSEED="7", LC_ALL="C", TZ="Asia/Tokyo")
    assert result.returncode == 0, result.stdout
    assert (other.folder / "results/machine/train/plain/seed1.json").exists()
    first, second = bytes_of_results(finished_once), bytes_of_results(other)
    assert sorted(first) == sorted(second)
    assert [name for name in first if first[name] != second[name]] == []


SCORE = """
import sys
sys.path.insert(0, sys.argv[1])
import elboflow, numpy
images = numpy.load(sys.argv[3])
print(elboflow.load(sys.argv[2]).log_prob(images, samples=20, seed=1).nats.tolist())
"""


@pytest.mark.parametrize("images", ["test", "test_binary"])
def test_a_model_stands_alone_with_its_card(finished_once, tmp_path, images):
    """Grey images become the very binary ones of the test split."""
    results, run = finished_once.folder / "results", "results/runs/plain/seed1"
    for name in ("model.safetensors", "model.json", "README.md"):
        shutil.copy(finished_once.folder / run / name, tmp_path)
    package, data = REPOSITORY / "workflow/scripts", results / f"data/digits/{images}.npy"
    command = [ENVIRONMENT / "venv/bin/python", "-I", "-c", SCORE, package, tmp_path, data]
    environment = {**os.environ, "OMP_NUM_THREADS": "1"}
    done = subprocess.run(command, env=environment, capture_output=True, text=True, check=True)
    measured = pd.read_csv(finished_once.folder / run / "per_image.csv")
    assert json.loads(done.stdout) == measured["log_likelihood_nats"].tolist()
    mean = measured["log_likelihood_nats"].mean()
    assert f"value: {mean:.4f}\n" in (tmp_path / "README.md").read_text()


def test_a_finished_checkout_has_nothing_to_do(finished):
    assert finished.planned() == {}


def test_snakemakes_own_report_works(finished):
    result = finished.snakemake("--report", "provenance.html")
    assert result.returncode == 0, result.stdout
    page = (finished.folder / "provenance.html").read_text()
    categories = json.loads(page.partition("var categories = ")[2].partition(";\n")[0])
    assert set(categories) == {"Figures", "Machine", "Tables"}
    assert "results/tables/comparisons.csv" in categories["Tables"]["Other"]
    assert "results/figures/training_curves.svg" in categories["Figures"]["Other"]


@pytest.mark.parametrize("action", ["--unlock", "--summary", "--rulegraph"])
def test_actions_that_run_nothing_need_no_cores(finished, action):
    assert finished.snakemake(action).returncode == 0


def test_a_dry_run_needs_neither_torch_nor_horovod(fresh):
    assert importlib.util.find_spec("torch") is None
    assert importlib.util.find_spec("horovod") is None
    plan = fresh.planned("--profile", "profiles/local")
    assert (plan["build_environment"], plan["smoke_test"], plan["train"]) == (1, 1, 10)


TRAININGS = {
    **{"fashion": 1, "fashion_models": 6, "mnist": 2, "iwae": 5},
    **{"exact": 2, "rate_distortion": 8, "discrete": 6},
}


def documented(fresh, name):
    """The words of the command that a configuration's first comment tells."""
    lines = (fresh.folder / "config" / f"{name}.yaml").read_text().splitlines()
    (command,) = (line for line in lines if line.startswith("#   snakemake "))
    return shlex.split(command.removeprefix("#   snakemake "))


def test_a_plan_may_be_made_inside_the_workflows_folder(fresh):
    assert Checkout(fresh.folder / "workflow").planned("--configfile", "../config/config.yaml")


@pytest.mark.parametrize("name", TRAININGS)
def test_a_named_configuration_replaces_the_default_runs(fresh, name):
    plan = fresh.planned(*documented(fresh, name))
    assert plan["train"] == TRAININGS[name]
    assert plan["fetch_data"] == 1


def test_the_configuration_of_scaling_measures_it(fresh):
    assert fresh.planned(*documented(fresh, "scaling"))["measure_scaling"] == 2


def test_after_a_crash_what_was_being_written_is_computed_again(finished):
    name = "results/tables/runs.csv"
    output = finished.folder / name
    record = base64.b64encode(name.encode()).decode()
    (finished.folder / ".snakemake" / "incomplete" / record).write_text("")
    output.write_text("half")
    result = finished.snakemake("--profile", "profiles/local", name)
    assert result.returncode == 0, result.stdout
    assert output.read_text().startswith("run,seed,quantity")


def test_a_failing_run_says_why_and_the_others_finish(finished, tiny):
    finished.configure(tiny("broken", learning_rate=10, epochs=50))
    result = finished.snakemake("--profile", "profiles/local")
    assert result.returncode != 0
    assert "error: broken seed 1: the objective or its gradient is not finite" in result.stdout
    assert "Traceback" not in result.stdout
    log = finished.folder / "results/logs/train/broken/seed1.log"
    assert "not finite" in log.read_text()
