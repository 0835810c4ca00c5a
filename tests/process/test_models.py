"""Posteriors, priors and gradients of all kinds, trained and evaluated on several ranks."""

import csv

import numpy as np
import pytest

from elboflow.trained.model_file import read_model

MODELS = {
    "two_layers": {
        "second_latent_dim": 2,
        "objective": "importance_weighted",
        "training_samples": 3,
    },
    "categorical": {"posterior": "categorical", "prior": "uniform"},
    "score_function": {
        "posterior": "categorical",
        "prior": "uniform",
        "gradient": "score_function",
        "training_samples": 3,
    },
    "gumbel_softmax": {
        "posterior": "categorical",
        "prior": "uniform",
        "gradient": "gumbel_softmax",
    },
    "convolutional": {"channels": [3, 4], "likelihood": "discretised_logistic"},
    "full_covariance": {
        "posterior": "full_covariance",
        "kl": "sampled",
        "gradient": "sticking_the_landing",
    },
    "flow": {"posterior": "flow", "prior": "mixture", "kl": "sampled", "patience": 9},
    "vamp": {
        "prior": "vamp",
        "objective": "importance_weighted",
        "training_samples": 3,
        "gradient": "doubly_reparametrised",
    },
}


def rows(path):
    with path.open() as file:
        return list(csv.DictReader(file))


@pytest.mark.parametrize("name", MODELS)
def test_training_and_evaluation_do_not_depend_on_the_ranks(experiment, name):
    if name == "flow":
        pytest.importorskip("zuko")
    alone, shared = (experiment(f"{name}{ranks}", **MODELS[name]) for ranks in (1, 3))
    for ranks, run in ((1, alone), (3, shared)):
        trained = run.train(ranks)
        assert trained.returncode == 0, trained.stderr
        evaluated = run.evaluate(ranks)
        assert evaluated.returncode == 0, evaluated.stderr
    one, other = (read_model(run.folder / "model.safetensors").weights for run in (alone, shared))
    assert max((one[key].double() - other[key].double()).abs().max() for key in one) < 1e-9
    for file in ("per_image.csv", "units.csv"):
        here, there = (rows(run.folder / "evaluation" / file) for run in (alone, shared))
        for row, same in zip(here, there, strict=True):
            for key, value in row.items():
                assert value == same[key] or float(value) == pytest.approx(
                    float(same[key]), rel=1e-7, abs=1e-7
                ), key
    rates = {row["rate_nats"] for row in rows(shared.folder / "evaluation" / "units.csv")}
    summed = name == "convolutional"  # the one whose KL is a sum over dimensions
    assert (rates != {""}) == summed
    walks = [dict(np.load(run.folder / "evaluation" / "walks.npz")) for run in (alone, shared)]
    assert walks[0].keys() == walks[1].keys()
    assert bool(walks[0]) == (MODELS[name].get("posterior") != "categorical")
    for key, array in walks[0].items():
        assert array == pytest.approx(walks[1][key], rel=1e-6, abs=1e-6), key
    sample = np.load(shared.folder / "evaluation" / "images.npz", allow_pickle=False)["sample"]
    assert np.isfinite(sample).all()
