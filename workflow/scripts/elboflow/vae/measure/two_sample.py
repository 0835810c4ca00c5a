"""How well images that a model makes can be told from test images.

By the nearest neighbour in pixels (neighbours.py), and by classifiers that learn (divergence.py).
"""

import numpy as np
import torch
from torch import Tensor

from elboflow.vae.measure.checks import FEWEST_IMAGES
from elboflow.vae.measure.divergence import divergence_bound
from elboflow.vae.measure.estimate import chunks, image_noise
from elboflow.vae.measure.neighbours import halves, nearer_to_first
from elboflow.vae.measure.summary import Quantity
from elboflow.vae.model.model import Model
from elboflow.vae.model.simulation import FIRST_IMAGE, simulate
from elboflow.vae.model.training_images import observed_training
from elboflow.vae.noise import Purpose, uniforms, words

MOST = 1000  # images of either kind
AT_ONCE = 100
SHARE = "share of images"


@torch.no_grad()
def told_apart(vae: Model, seed: int, tested: Tensor, training: np.ndarray) -> list[Quantity]:
    """What tells samples, reconstructions and training images apart; none of very few images.

    Samples: z from the prior. Reconstructions: z from q(z | x) of test images other than those that
    they are held against. Training images: what a model that knew their distribution would get.

    Args:
        tested: the test images as the likelihood observes them, shape (N, D).
        training: uint8, grey levels of the training images.
    """
    count = min(len(tested) // 2, len(training), MOST)
    if count < FEWEST_IMAGES or not vae.draws_images:
        return []
    # From all over the split: published ones may not be shuffled.
    step = len(tested) // count
    real, others = tested[::step][:count], tested[1::step][:count]
    numbers = [FIRST_IMAGE + image for image in range(count)]
    pieces = [slice(first, first + size) for first, size in chunks(count, AT_ONCE)]
    samples = torch.cat([simulate(vae, seed, numbers[piece])[1] for piece in pieces])
    made = {"sample": samples}
    if vae.has_latents:
        made["reconstruction"] = torch.cat(
            [_reconstruct(vae, seed, others[piece], numbers[piece]) for piece in pieces]
        )
    made["training"] = observed_training(vae, seed, training, count)
    found = [
        quantity
        for kind, images in made.items()
        for quantity in _compared(kind, vae, seed, real, images)
    ]
    return [*found, *_memorised(vae, seed, samples, tested, training)]


def _compared(kind: str, vae: Model, seed: int, real: Tensor, made: Tensor) -> list[Quantity]:
    by_neighbours = halves(real, made)
    bound = divergence_bound(real, made, vae.shape, seed)
    return [
        Quantity(f"{kind}_1nn_real", SHARE, *by_neighbours.real, None, len(real)),
        Quantity(f"{kind}_1nn_made", SHARE, *by_neighbours.made, None, len(made)),
        Quantity(f"{kind}_1nn_null", SHARE, *by_neighbours.null, None, len(real)),
        Quantity(f"{kind}_jsd_bound", "nats", *bound, None, len(real)),
    ]


def _memorised(
    vae: Model, seed: int, samples: Tensor, tested: Tensor, training: np.ndarray
) -> list[Quantity]:
    """Share of samples whose nearest image is a training one, among as many of the test split.

    Meehan, Chaudhuri and Dasgupta, A non-parametric test to detect data-copying in generative
    models, AISTATS 2020, arXiv:2004.05675.
    """
    count = min(len(tested), len(training))
    known = observed_training(vae, seed, training, count)
    fresh = tested[:: len(tested) // count][:count]
    share, null = nearer_to_first(samples, known, fresh)
    return [
        Quantity("sample_nearest_training", SHARE, *share, None, len(samples)),
        Quantity("sample_nearest_training_null", SHARE, *null, None, len(samples)),
    ]


def _reconstruct(vae: Model, seed: int, x: Tensor, numbers: list[int]) -> Tensor:
    """x' ~ p(x' | z) with z ~ q(z | x), shape (B, D)."""
    noise = image_noise(vae, seed, Purpose.RECONSTRUCTION_Z, numbers)
    z, _ = vae.encode(x).sample(noise(0, 1))
    starts = [(number, 0) for number in numbers]
    raw = words(seed, Purpose.RECONSTRUCTION_X, starts, 1, vae.shape.pixels, vae.device)[:, 0]
    return vae.draw_images(z[0], uniforms(raw)).to(x.dtype)
