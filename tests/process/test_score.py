"""Other data sets under a trained model: the same on any number of ranks."""

import csv
import json
import os
import subprocess
import sys
from pathlib import Path

import numpy as np
import pytest

import own_models


@pytest.fixture
def other(trained, make_data):
    """A data set of the toy's shape beside it, with other images and grey levels."""
    folder = make_data(trained.folder / "data" / "other", test=30)
    change_manifest(folder, levels=255)
    return folder


def change_manifest(folder, **changes):
    path = folder / "manifest.json"
    path.write_text(json.dumps({**json.loads(path.read_text()), **changes}))


def scores(run, dataset="other"):
    return (run.folder / "scores" / f"{dataset}.csv").read_bytes()


def columns(content):
    rows = list(csv.DictReader(content.decode().splitlines()))
    return {name: np.array([float(row[name]) for row in rows]) for name in rows[0]}


@pytest.mark.promise(
    "score",
    "the same bytes on any number of ranks",
    "1, 2 and 4 ranks in float64",
)
def test_ranks_change_nothing(trained, other):
    found = []
    for ranks in (1, 2, 4):
        done = trained.score("other", ranks)
        assert done.returncode == 0, done.stderr
        found.append(scores(trained))
        for part in (trained.folder / "state" / "score_other").rglob("*.json"):
            part.unlink()
    assert found[0] == found[1] == found[2]
    values = columns(found[0])
    assert values["image"].tolist() == list(range(30))
    assert values["log_likelihood_nats"].mean() > values["log_likelihood_at_half_nats"].mean()


@pytest.mark.promise(
    "score",
    "of the own test images the evaluation's very numbers",
    "every digit",
)
def test_its_own_data_score_what_the_evaluation_says(trained, evaluated_once):
    assert trained.score("toy", ranks=2).returncode == 0
    evaluated = columns((evaluated_once.folder / "evaluation" / "per_image.csv").read_bytes())
    scored = columns(scores(trained, "toy"))
    for name in set(scored) - {"log_likelihood_at_half_nats"}:
        assert scored[name].tolist() == evaluated[name].tolist(), name


def test_an_interrupted_job_goes_on_with_the_images_that_are_left(trained, other):
    assert trained.score("other").returncode == 0
    whole = scores(trained)
    parts = sorted((trained.folder / "state" / "score_other").rglob("*.json"))
    finished = {path: path.stat().st_mtime_ns for path in parts}
    lost, cut, *kept = parts
    lost.unlink()
    cut.write_text(cut.read_text()[:50])
    done = trained.score("other", ranks=2)
    assert done.returncode == 0, done.stderr
    assert scores(trained) == whole
    assert kept
    assert all(path.stat().st_mtime_ns == finished[path] for path in kept)


def test_a_job_whose_time_is_up_asks_for_another(trained, other, tmp_path):
    again = tmp_path / "again"
    ended = {"SNAKEMAKE_QSUB_DEADLINE": "1", "SNAKEMAKE_QSUB_CONTINUE": str(again)}
    done = trained.score("other", ranks=2, env=ended)
    assert done.returncode != 0
    assert "follow when it is started again" in done.stderr
    assert again.exists()
    assert not (trained.folder / "scores").exists()


OWN = "6 x 6 pixels, levels 0 to 16"


@pytest.mark.parametrize(
    ("likelihood", "changes", "found"),
    [
        ("bernoulli", {"image_shape": [4, 9]}, "4 x 9 pixels, levels 0 to 16"),
        ("bernoulli", {"image_shape": [3, 4, 3]}, "3 x 4 pixels in colour, levels 0 to 16"),
        ("gaussian", {"levels": 255}, "6 x 6 pixels, levels 0 to 255"),
    ],
)
def test_images_that_do_not_fit_are_one_line(experiment, make_data, likelihood, changes, found):
    run = experiment(epochs=1, likelihood=likelihood)
    assert run.train().returncode == 0
    change_manifest(make_data(run.folder / "data" / "other"), **changes)
    done = run.score("other", ranks=2)
    assert done.returncode != 0
    (line,) = [line for line in done.stderr.splitlines() if line.startswith("error: ")]
    assert line == (
        f"error: other: its images have {found}; the model was trained on those of toy, {OWN}, "
        "and can score no others"
    )
    assert not (run.folder / "scores").exists()


def test_a_data_set_that_is_missing_is_one_line(trained):
    done = trained.score("nowhere")
    assert done.returncode != 0
    assert "error: " in done.stderr and "nowhere/manifest.json" in done.stderr
    assert "Traceback" not in done.stderr


@pytest.mark.parametrize(("name", "latents"), [("Ladder", True), ("Autoregressive", False)])
def test_models_that_users_write_are_scored(experiment, make_data, tmp_path, name, latents):
    text = Path(own_models.__file__).read_text().replace("H, W = 3, 4", "H, W = 6, 6")
    (tmp_path / "mine.py").write_text(text)
    run = experiment(model=f"{tmp_path}/mine.py:{name}", observes="binary", epochs=1)
    done = run.train()
    assert done.returncode == 0, done.stderr
    make_data(run.folder / "data" / "other", test=30)
    found = []
    for ranks in (1, 2):
        done = run.score("other", ranks)
        assert done.returncode == 0, done.stderr
        found.append(scores(run))
        for part in (run.folder / "state" / "score_other").rglob("*.json"):
            part.unlink()
    assert found[0] == found[1]
    values = columns(found[0])
    assert ("log_likelihood_at_half_nats" in values) == latents
    if not latents:
        estimated, exact = (values[f"{name}log_likelihood_nats"] for name in ("", "exact_"))
        np.testing.assert_allclose(estimated, exact, rtol=1e-12)


@pytest.mark.promise(
    "score",
    "`elboflow score` says of the test images what the evaluation says",
    "relative 1e-9 in float64",
)
def test_the_command_line_says_what_the_evaluation_says(trained, evaluated_once, scripts):
    images = trained.folder / "data" / "toy" / "test_binary.npy"
    words = f"score . {images} -o scores.csv --samples 200 --seed 1".split()
    done = subprocess.run(
        [sys.executable, "-m", "elboflow", *words],
        cwd=trained.folder,
        env={**os.environ, "PYTHONPATH": str(scripts)},
        capture_output=True,
        text=True,
        check=False,
    )
    assert done.returncode == 0, done.stderr
    assert done.stdout.startswith("53 images: log p(x) ")
    evaluated = columns((evaluated_once.folder / "evaluation" / "per_image.csv").read_bytes())
    found = columns((trained.folder / "scores.csv").read_bytes())
    for name in ("log_likelihood_nats", "log_likelihood_monte_carlo_error_nats"):
        np.testing.assert_allclose(found[name], evaluated[name], rtol=1e-9, atol=1e-9)
