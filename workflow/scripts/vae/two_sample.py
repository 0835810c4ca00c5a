"""How well images that a model makes can be told from test images: a one-nearest-neighbour test.

Lopez-Paz and Oquab, Revisiting classifier two-sample tests, ICLR 2017, arXiv:1610.06545. Distances
are those of pixels.
"""

import numpy as np
import torch
from torch import Tensor

from vae.checks import FEWEST_IMAGES
from vae.data import as_observed
from vae.estimate import chunks, image_noise
from vae.networks import VAE
from vae.noise import Purpose, uniforms, words
from vae.overfitting import fixed, spread
from vae.simulation import FIRST_IMAGE, sample, simulate
from vae.summary import Quantity

MOST = 1000  # images of either kind; the error is then below 0.016
AT_ONCE = 100
UNIT = "share of images"


def accuracy(real: Tensor, made: Tensor) -> tuple[float, float]:
    """Leave-one-out accuracy of the nearest neighbour's label, and its standard error.

    0.5 where both sets are of one distribution, 1 where each keeps to itself. Of several nearest
    neighbours each counts in part. Two that are each other's nearest are right or wrong together,
    which the error allows for.

    Args:
        real, made: as many images of either kind, shape (n, D).
    """
    both = torch.cat([real, made]).double()
    squares = both.square().sum(1)
    distances = squares[:, None] + squares - 2 * both @ both.T
    distances.fill_diagonal_(torch.inf)
    nearest = distances == distances.min(1, keepdim=True).values
    own = nearest.unflatten(1, (2, -1)).sum(2).double()  # how many of either kind are nearest
    right = torch.cat([own[: len(real), 0], own[len(real) :, 1]]) / own.sum(1)
    off = right - right.mean()
    mutual = (nearest & nearest.T).double()
    variance = (off @ off + off @ mutual @ off).clamp(min=0)
    return right.mean().item(), (variance.sqrt() / len(right)).item()


@torch.no_grad()
def told_apart(vae: VAE, seed: int, tested: Tensor, training: np.ndarray) -> list[Quantity]:
    """Accuracies for samples, reconstructions and training images; none of very few images.

    Samples: z from the prior. Reconstructions: z from q(z | x) of test images other than those that
    they are held against. Training images: what a model that knew their distribution would get.

    Args:
        tested: the test images as the likelihood observes them, shape (N, D).
        training: uint8, grey levels of the training images.
    """
    count = min(len(tested) // 2, len(training), MOST)
    if count < FEWEST_IMAGES:
        return []
    # From all over the split: published ones may not be shuffled.
    step = len(tested) // count
    real, others = tested[::step][:count], tested[1::step][:count]
    numbers = [FIRST_IMAGE + image for image in range(count)]
    pieces = [slice(first, first + size) for first, size in chunks(count, AT_ONCE)]
    made = {
        "sample": [simulate(vae, seed, numbers[piece])[1] for piece in pieces],
        "reconstruction": [
            _reconstruct(vae, seed, others[piece], numbers[piece]) for piece in pieces
        ],
        "training": [_observed_training(vae, seed, training, count)],
    }
    return [
        Quantity(f"{kind}_1nn_accuracy", UNIT, *accuracy(real, torch.cat(images)), None, count)
        for kind, images in made.items()
    ]


def _reconstruct(vae: VAE, seed: int, x: Tensor, numbers: list[int]) -> Tensor:
    """x' ~ p(x' | z) with z ~ q(z | x), shape (B, D)."""
    noise = image_noise(vae, seed, Purpose.RECONSTRUCTION_Z, numbers)
    z, _ = vae.encode(x).sample(noise(0, 1))
    starts = [(number, 0) for number in numbers]
    raw = words(seed, Purpose.RECONSTRUCTION_X, starts, 1, vae.shape.pixels, vae.device)[:, 0]
    return sample(vae.likelihood, vae.decode(z[0]).double(), uniforms(raw)).to(x.dtype)


def _observed_training(vae: VAE, seed: int, training: np.ndarray, count: int) -> Tensor:
    """Training images from all over their split, as the likelihood observes them, shape (n, D)."""
    images = fixed(vae, seed, spread(training, count))
    return as_observed(images, vae.likelihood.observes, vae.shape.levels, vae.dtype)
