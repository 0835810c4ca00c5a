"""Every likelihood through train and evaluate, and a linear run whose log p(x) is exact."""

import csv

import numpy as np
import pytest

from elboflow.trained.model_file import read_model
from elboflow.vae.choices import DATA, LIKELIHOODS
from elboflow.vae.model.exact_linear import linear_gaussian
from elboflow.vae.model.linear_gaussian import maximum_likelihood


def read(path):
    with path.open() as file:
        return list(csv.DictReader(file))


def measured(run):
    """Train and evaluate on one rank; quantities and checks of the evaluation."""
    for done in (run.train(), run.evaluate()):
        assert done.returncode == 0, done.stderr
    folder = run.folder / "evaluation"
    quantities = {row["quantity"]: row for row in read(folder / "summary.csv")}
    return quantities, {row["check"]: row["status"] for row in read(folder / "checks.csv")}


@pytest.mark.parametrize(
    "likelihood", [name for name, choice in LIKELIHOODS.items() if choice.observes != "binary"]
)
def test_a_likelihood_of_grey_levels_learns_from_them(experiment, likelihood):
    choice = LIKELIHOODS[likelihood]
    run = experiment(likelihood=likelihood, epochs=60, precision="float32")
    quantities, checks = measured(run)
    assert ("bits_per_dim" in quantities) == DATA[choice.observes].discrete
    assert "noise_floor" not in quantities
    assert checks["better_than_mean_image"] == "ok"
    assert checks["not_collapsed"] == "ok"
    assert ("scale_above_floor" in checks) == choice.floored
    pictures = np.load(run.folder / "evaluation" / "images.npz", allow_pickle=False)
    assert "binary" not in pictures
    assert pictures["reconstruction"].shape == (4, 36)
    assert 0 <= pictures["reconstruction"].min() <= pictures["reconstruction"].max() <= 1


def test_ranks_change_nothing_for_grey_levels(experiment):
    runs = [experiment(f"ranks{n}", likelihood="gaussian", epochs=3) for n in (1, 2)]
    for ranks, run in enumerate(runs, 1):
        assert run.train(ranks).returncode == 0
    one, two = (read_model(run.folder / "model.safetensors").weights for run in runs)
    assert "likelihood.scale.log_scale" in one
    for name, values in one.items():
        np.testing.assert_allclose(two[name], values, rtol=1e-9, atol=1e-9)


@pytest.mark.promise(
    "log_likelihood",
    "training reaches the best linear Gaussian model",
    "probabilistic PCA: 0.01 nat",
)
def test_a_linear_model_reaches_the_closed_form_optimum(experiment):
    """Within 0.01 nat of probabilistic PCA on its training images, and never above."""
    run = experiment(
        likelihood="gaussian",
        latent_dim=2,
        encoder_layers=[],
        decoder_layers=[],
        epochs=1000,
        schedule="iwae",
        learning_rate=0.01,
        batch_size=100,
    )
    quantities, checks = measured(run)
    vae = read_model(run.folder / "model.safetensors").build()
    x = np.load(run.folder / "data" / "toy" / "train.npy") / 16
    best = maximum_likelihood(x, 2).log_likelihood(x).mean()
    assert 0 <= best - linear_gaussian(vae).log_likelihood(x).mean() < 0.01
    exact, estimate, elbo = (
        float(quantities[name]["value"])
        for name in ("exact_log_likelihood", "log_likelihood", "elbo")
    )
    assert estimate == pytest.approx(exact, abs=0.05)
    # Its own optimum needs the columns of the weights to turn until they are orthogonal: slower.
    assert elbo == pytest.approx(exact, abs=0.5)
    assert checks["elbo_not_above_exact_log_likelihood"] == "ok"
    assert checks["log_likelihood_not_above_exact_log_likelihood"] == "ok"
