"""E[z | x] of posteriors that have no formula for it."""

from collections.abc import Callable

import torch
from torch import Tensor

from elboflow.vae.noise import Purpose, normals, words

Sample = Callable[[Tensor], tuple[Tensor, Tensor]]

PAIRS = 100


def mean_of_draws(sample: Sample, images: int, latent_dim: int, like: Tensor) -> Tensor:
    """E[z | x], shape (B, L), from 100 pairs (epsilon, -epsilon) that all images share.

    Shared, so that they move all means alike and add little to the variance over images.

    Args:
        sample: draws z (K, B, L) and their log-densities from noise (K, B, L).
        like: a tensor of the type and on the device of the draws.
    """
    raw = words(0, Purpose.POSTERIOR_MEAN, [(0, 0)], PAIRS, latent_dim, like.device)
    noise = normals(raw[0], like.dtype)[:, None].expand(-1, images, -1)
    return sample(torch.cat([noise, -noise]))[0].mean(0)
