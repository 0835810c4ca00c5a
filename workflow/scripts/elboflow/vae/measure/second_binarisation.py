"""By how much the mean log p(x) of the same test images depends on the draw that binarised them.

Published values are of the same grey images in another binarisation. The images are drawn on their
own, so that the variance of the mean of N is sum_i Var(log p(b_i)) / N^2; half of the squared
difference between two draws of an image has the expectation Var(log p(b_i)).
"""

import numpy as np
import torch
from torch import Tensor

from elboflow.vae.data import as_observed
from elboflow.vae.measure.conventions import NATS
from elboflow.vae.measure.estimate import chunks, estimate_log_likelihood, image_noise
from elboflow.vae.measure.overfitting import spread
from elboflow.vae.measure.summary import Quantity
from elboflow.vae.model.model import Model
from elboflow.vae.noise import Purpose, binarised

MOST_REDRAWN = 400  # images; the variance is then right to some 10 %
SAMPLES = 50  # importance samples; their noise adds 2 or 3 % to the result on digits
REDRAWN_AT_ONCE = 50


@torch.no_grad()
def binarisation_sd(vae: Model, seed: int, grey: np.ndarray) -> list[Quantity]:
    """Standard deviation of the mean log p(x) of all test images over their binarisations, in nats.

    None where the images are not binary ones that were drawn from grey levels.

    Args:
        grey: uint8, grey levels of the test images, shape (N, D).
    """
    if vae.likelihood.observes != "binary" or vae.shape.levels == 1:
        return []
    chosen = torch.from_numpy(np.ascontiguousarray(spread(grey, MOST_REDRAWN))).to(vae.device)
    first, second = (_log_likelihood(vae, seed, chosen, draw) for draw in (0, 1))
    within = (first - second).square().mean().item() / 2
    sd = (within / len(grey)) ** 0.5
    return [Quantity("binarisation_sd", NATS, sd, None, None, len(chosen))]


def _log_likelihood(vae: Model, seed: int, grey: Tensor, draw: int) -> Tensor:
    """Estimates for one binarisation of the images, float64, shape (n,)."""
    images = binarised(grey, vae.shape.levels, seed, Purpose.SECOND_BINARISATION, draw)
    x = as_observed(images, vae.likelihood.observes, vae.shape.levels, vae.dtype)
    found = []
    for start, count in chunks(len(x), REDRAWN_AT_ONCE):
        piece = x[start : start + count]
        noise = image_noise(vae, seed, Purpose.IMPORTANCE, range(start, start + count))
        weights = estimate_log_likelihood(vae, piece, vae.encode(piece), noise, SAMPLES, SAMPLES)
        found.append(weights.log_likelihood)
    return torch.cat(found)
