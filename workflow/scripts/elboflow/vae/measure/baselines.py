"""What the test images allow: the best and the worst log-likelihoods that a model may have."""

from dataclasses import dataclass

import numpy as np
import torch

from elboflow.vae.data import as_observed
from elboflow.vae.model.likelihood import Likelihood


@dataclass(frozen=True)
class Baselines:
    """What the test images allow, float64, shape (N,), in nats per image.

    noise_floor: log p(b | grey) of the binary image under the very grey levels that it was drawn
        from: no model has a larger expectation (Gibbs' inequality). None where the images are not
        binary images drawn from grey levels.
    entropy: its negative expectation over the binarisation, None with it.
    mean_image: log-likelihood under independent pixels, fitted to the training images.
    """

    noise_floor: np.ndarray | None
    entropy: np.ndarray | None
    mean_image: np.ndarray


def baselines(
    likelihood: Likelihood,
    training: np.ndarray,
    grey: np.ndarray,
    images: np.ndarray,
    levels: int,
) -> Baselines:
    """The baselines of test images, all arrays uint8 of shape (N, D).

    Args:
        training: grey levels of the training images.
        grey: grey levels of the test images.
        images: what the likelihood is tested on: binary images drawn from them, or the levels.
    """
    counts = torch.from_numpy(level_counts(training, levels)).double()
    x = as_observed(torch.from_numpy(images), likelihood.observes, levels, torch.float64)
    with torch.no_grad():
        mean_image = likelihood.independent_pixels(counts, x).numpy()
    if likelihood.observes != "binary" or levels == 1:
        return Baselines(None, None, mean_image)
    floor, entropy = noise_floor(grey, images, levels)
    return Baselines(floor, entropy, mean_image)


def noise_floor(grey: np.ndarray, binary: np.ndarray, levels: int) -> tuple[np.ndarray, np.ndarray]:
    """log p(binary | grey) and its negative expectation, of images (N, D), each of shape (N,)."""
    on = np.arange(levels + 1) / levels
    with np.errstate(divide="ignore", invalid="ignore"):
        log_on, log_off = np.log(on), np.log1p(-on)
        entropy = -np.nan_to_num(on * log_on) - np.nan_to_num((1 - on) * log_off)  # 0 log 0 = 0
    observed = np.where(binary == 1, log_on[grey], log_off[grey])
    return observed.sum(1), entropy[grey].sum(1)


def level_counts(grey: np.ndarray, levels: int, chunk: int = 1000) -> np.ndarray:
    """How often each pixel has each grey level, shape (D, levels + 1)."""
    pixels, size = grey.shape[1], levels + 1
    counts = np.zeros(pixels * size, dtype=np.int64)
    for first in range(0, len(grey), chunk):
        places = grey[first : first + chunk] + np.arange(pixels) * size
        counts += np.bincount(places.ravel(), minlength=counts.size)
    return counts.reshape(pixels, size)
