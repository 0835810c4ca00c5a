"""Whether decoder and encoder do better on the images that they were trained on than on others.

Of the decoder: log p(x) of training images minus that of test images. Of the encoder, whose
q(z | x) may fit training images alone: the gap log p(x) - ELBO of test images minus that of
training images.

Wu et al., On the quantitative analysis of decoder-based generative models, arXiv:1611.04273.
"""

from collections.abc import Mapping
from dataclasses import replace

import numpy as np
import torch
from torch import Tensor

from elboflow.vae.data import Manifest, as_observed, load, load_split
from elboflow.vae.measure.checks import FEWEST_IMAGES
from elboflow.vae.measure.summary import PerImage, Quantity, mean_of
from elboflow.vae.model.model import Model
from elboflow.vae.model.training_images import fixed, spread

MOST_OF_A_SPLIT = 1000  # images of a split
# The number of a split's first image, which keys its noise: beyond test and simulated images.
FIRST_NUMBER = {"test": 0, "train": 2 << 32, "validation": 3 << 32}


def other_splits(vae: Model, seed: int, manifest: Manifest) -> dict[str, Tensor]:
    """Training and validation images as the likelihood observes them, each (N, D); none of few."""
    stored = {
        "train": fixed(vae, seed, spread(load(manifest, "train.npy"), MOST_OF_A_SPLIT)),
        "validation": torch.from_numpy(
            spread(load_split(manifest, "validation", vae.likelihood.observes), MOST_OF_A_SPLIT)
        ).to(vae.device),
    }
    return {
        origin: as_observed(images, vae.likelihood.observes, vae.shape.levels, vae.dtype)
        for origin, images in stored.items()
        if len(images) >= FEWEST_IMAGES
    }


def overfitting(test: PerImage, others: Mapping[str, PerImage]) -> list[Quantity]:
    """The means of the other splits, and how much better training images do than test images."""
    found = [quantity for origin, images in others.items() for quantity in _means(origin, images)]
    if "train" not in others:
        return found
    train, tested = (
        {quantity.name: quantity for quantity in _means(origin, images)}
        for origin, images in (("train", others["train"]), ("test", test))
    )
    return [
        *found,
        difference(
            "train_minus_test_log_likelihood",
            *(train["train_log_likelihood"], tested["test_log_likelihood"]),
        ),
        difference("test_minus_train_gap", tested["test_gap"], train["train_gap"]),
    ]


def difference(name: str, first: Quantity, second: Quantity) -> Quantity:
    """Of the means of two independent samples of images, so that all errors add in quadrature."""
    data, monte_carlo = (
        float(np.hypot(getattr(first, error), getattr(second, error)))
        for error in ("data_error", "monte_carlo_error")
    )
    images = (first.images or 0) + (second.images or 0)
    return Quantity(name, first.unit, first.value - second.value, data, monte_carlo, images)


def _means(origin: str, images: PerImage) -> list[Quantity]:
    error = images.log_likelihood_monte_carlo_error
    gap = images.log_likelihood - images.elbo
    found = [
        mean_of(f"{origin}_elbo", images.elbo, images.elbo_monte_carlo_error),
        mean_of(f"{origin}_log_likelihood", images.log_likelihood, error),
        mean_of(f"{origin}_gap", gap, np.hypot(error, images.elbo_monte_carlo_error)),
    ]
    return [replace(quantity, images=len(images.elbo)) for quantity in found]
