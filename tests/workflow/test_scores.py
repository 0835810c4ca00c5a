"""The section `scores` from the configuration to the report."""

import subprocess
import sys

import pandas as pd
import pytest
import yaml


@pytest.fixture
def scored(tiny):
    """The tiny configuration, one of whose runs is scored on digits of another split."""
    config = tiny()
    other = {**config["datasets"]["digits"], "split_seed": 1, "test_images": 30}
    datasets = {**config["datasets"], "other": other}
    return {**config, "datasets": datasets, "scores": {"plain": ["digits", "other"]}}


def test_other_data_are_scored_and_without_the_section_the_report_is_as_before(
    finished, scored, tiny
):
    report = finished.folder / "results/report.html"
    before = report.read_bytes()
    finished.configure(scored)
    plan = finished.planned()
    assert plan["score"] == plan["gather_scores"] == plan["fetch_data"] == 1
    assert not {"train", "evaluate", "gather_tables"} & plan.keys()
    finished.run()
    scores = pd.read_csv(finished.folder / "results/runs/plain/seed1/scores/other.csv")
    assert len(scores) == 30
    table = pd.read_csv(finished.folder / "results/tables/scores_summary.csv")
    means = table.set_index(["dataset", "quantity"])["mean"]
    own = pd.read_csv(finished.folder / "results/tables/summary.csv")
    plain = own[own["run"] == "plain"].set_index("quantity")["mean"]
    assert means["digits", "log_likelihood"] == plain["log_likelihood"]
    assert means["digits", "bits_per_dim"] == plain["bits_per_dim"]
    assert 0 < means["other", "auroc_lower"] < means["other", "auroc"] < 1
    assert "Other data under the models" in report.read_text()
    assert finished.planned() == {}

    finished.configure(tiny())
    assert not {"score", "train", "evaluate"} & finished.planned().keys()
    finished.run()
    assert report.read_bytes() == before


def test_a_mistake_stops_the_plan_in_one_line(fresh, scored):
    fresh.configure({**scored, "scores": {"plain": ["others"]}})
    result = fresh.snakemake("-n")
    assert result.returncode != 0
    line = "config: scores.plain: no data set 'others', known are digits, other"
    assert line in result.stdout and "Traceback" not in result.stdout


def test_the_example_is_planned_with_the_digits_that_its_command_writes(fresh):
    path = "config/out_of_distribution.yaml"
    config = yaml.safe_load((fresh.folder / path).read_text())
    written = config["datasets"]["digits-28"]["path"]
    script = fresh.folder / "config/enlarged_digits.py"
    subprocess.run([sys.executable, script, written], cwd=fresh.folder, check=True)
    plan = fresh.planned("--configfile", path)
    assert (plan["train"], plan["score"], plan["fetch_data"]) == (1, 1, 2)
