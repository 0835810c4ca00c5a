"""Small models and data for the tests of the package vae."""

import math
from collections.abc import Callable, Iterator
from types import SimpleNamespace
from typing import Any

import numpy as np
import pytest
import torch
from hypothesis import settings

from elboflow.vae.data import ImageShape, mean_image
from elboflow.vae.measure.aggregate import AggregatePosterior
from elboflow.vae.model.gaussian import Gaussian
from elboflow.vae.model.networks import VAE
from elboflow.vae.model.priors import StandardNormal
from elboflow.vae.spec import TrainingSpec
from elboflow.vae.training.training import Training

settings.register_profile("elboflow", derandomize=True, deadline=None, max_examples=50)
settings.load_profile("elboflow")

PIXELS, LEVELS = 12, 16
SHAPE = ImageShape(3, 4, 1, LEVELS)


def make_spec(**changes: Any) -> TrainingSpec:
    """A small model in float64, with some keys changed."""
    small: dict[str, Any] = {
        "dataset": "toy",
        "latent_dim": 2,
        "encoder_layers": [8],
        "decoder_layers": [8],
        "flow_hidden": [8],
        "second_layers": [8],
        "prior_components": 3,
        "learning_rate": 0.01,
        "batch_size": 10,
        "epochs": 4,
        "precision": "float64",
    }
    return TrainingSpec(**{**small, **changes})


def make_vae(seed: int = 1, **changes: Any) -> VAE:
    vae = VAE(make_spec(**changes), SHAPE)
    vae.initialise(seed, torch.full((PIXELS,), 0.4, dtype=torch.float64))
    return vae


def grey_images(count: int) -> np.ndarray:
    return np.random.default_rng(0).integers(0, LEVELS + 1, (count, PIXELS)).astype(np.uint8)


def binary_images(count: int) -> np.ndarray:
    return np.random.default_rng(1).integers(0, 2, (count, PIXELS)).astype(np.uint8)


def make_training(
    images: int = 35,
    rank: int = 0,
    size: int = 1,
    seed: int = 1,
    validation: int = 9,
    **changes: Any,
) -> Training:
    spec, grey = make_spec(**changes), grey_images(images)
    vae = VAE(spec, SHAPE)
    vae.initialise(seed, mean_image(grey, LEVELS))
    frozen = binary_images(validation)
    return Training(vae, spec, seed, grey, LEVELS, frozen, rank, size, allreduce=lambda _: None)


def train_to_the_end(training: Training) -> Training:
    while not training.finished:
        if training.advance():
            training.end_epoch()
    return training


@pytest.fixture
def deterministic() -> Iterator[None]:
    """As trainings are by default: the same bits each time."""
    torch.use_deterministic_algorithms(True)
    yield
    torch.use_deterministic_algorithms(False)


@pytest.fixture
def toy() -> dict[str, Callable[..., Any]]:
    return {
        "spec": make_spec,
        "vae": make_vae,
        "training": make_training,
        "trained": lambda **changes: train_to_the_end(make_training(**changes)),
        "train": train_to_the_end,
        "grey": grey_images,
        "binary": binary_images,
    }


@pytest.fixture(scope="session")
def aggregate_of() -> Callable[..., AggregatePosterior]:
    """The aggregate posterior of q(z | x_n) = N(means_n, sd^2 I), under the prior N(0, I)."""

    def make(means: torch.Tensor, sd: float, seed: int = 0) -> AggregatePosterior:
        known: Any = SimpleNamespace(
            latent_dim=means.shape[1],
            dtype=means.dtype,
            device="cpu",
            prior=StandardNormal(),
            encode=lambda x: Gaussian(x, torch.full_like(x, math.log(sd))),
        )
        return AggregatePosterior(known, means, seed)

    return make
