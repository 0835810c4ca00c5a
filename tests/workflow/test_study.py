"""`make study`: trials are runs that the workflow trains."""

import csv
import subprocess
import sys

import pytest
import yaml

from checkout import TINY, Checkout

STUDY = {
    "keys": {"latent_dim": {"low": 2, "high": 4}, "activation": {"choices": ["tanh", "relu"]}},
    "trials": 2,
    "at_once": 2,
    "epochs": [1, 2],
}


def study(checkout: Checkout) -> subprocess.CompletedProcess[str]:
    command = [sys.executable, "workflow/scripts/study.py", "search.yaml", "--", "--cores", "2"]
    return subprocess.run(
        command, cwd=checkout.folder, capture_output=True, text=True, timeout=300, check=False
    )


@pytest.fixture
def searching(finished: Checkout) -> Checkout:
    config = {key: TINY[key] for key in ("datasets", "defaults")}
    text = yaml.safe_dump({**config, "study": STUDY})
    (finished.folder / "search.yaml").write_text(text)
    return finished


def test_trials_are_runs_whose_report_can_be_made(searching):
    done = study(searching)
    assert done.returncode == 0, done.stdout + done.stderr
    folder = searching.folder / "results/search/study"
    rows = list(csv.DictReader((folder / "trials.csv").open()))
    assert [row["state"] for row in rows] == ["complete"] * 2, done.stdout + done.stderr
    models = searching.folder.glob("results/search/runs/*/seed1/metrics.csv")
    elbos = {
        path.parts[-3]: float(list(csv.DictReader(path.open()))[-1]["validation_elbo_nats"])
        for path in models
    }
    assert elbos == {row["trial"]: float(row["elbo_nats_2_epochs"]) for row in rows}
    planned = searching.planned("--configfile", "results/search/study/trials.yaml")
    assert planned["evaluate"] == 2 and "train" not in planned
    again = study(searching)
    assert again.returncode == 0 and "steps" not in again.stdout, "nothing is trained twice"


@pytest.mark.parametrize(
    ("config", "complaint"),
    [
        ({}, "has no section `study`"),
        ({"study": STUDY, "runs": {"plain": {}}}, "leave out runs and sweeps"),
        ({"study": {**STUDY, "keys": {"latent_dim": {"low": 0, "high": 4}}}}, "latent_dim"),
        ({"study": {**STUDY, "keys": {"latent": {"low": 1, "high": 4}}}}, "unknown key 'latent'"),
    ],
)
def test_a_mistake_is_one_line_before_anything_trains(fresh, config, complaint):
    shared = {key: TINY[key] for key in ("datasets", "defaults")}
    (fresh.folder / "search.yaml").write_text(yaml.safe_dump({**shared, **config}))
    done = study(fresh)
    assert done.returncode == 1 and complaint in done.stderr
    assert done.stderr.startswith("error: config: ") and done.stderr.count("\n") == 1
    assert not (fresh.folder / "results").exists()
