"""Mean images along lines through the latent space, for figures.

N = test images, L = latent dimensions, D = pixels.
"""

import numpy as np
import torch
from torch import Tensor

from elboflow.vae.model.model import Model

DIMENSIONS = 3  # that are traversed
STEPS = np.linspace(-2, 2, 11)  # standard deviations
BETWEEN = 9  # images of an interpolation, both ends included
SEARCHED = 1000  # images
DECODED_AT_ONCE = 100


@torch.no_grad()
def walks(vae: Model, posterior_mean: np.ndarray, grey: np.ndarray) -> dict[str, np.ndarray]:
    """What is seen on the way through z; nothing of a z that may not be any real numbers.

    Args:
        posterior_mean: E[z | x] of the test images, shape (N, L).
        grey: the test images as levels, shape (N, D), from which two are chosen.

    Returns:
        traversed: numbers of the dimensions along which the mean image changes most, shape (T,).
        traversal: mean images at the STEPS of each, shape (T, steps, D), 0 to 1.
        ends: numbers of two test images, shape (2,).
        interpolation: mean images on the line from one E[z | x] to the other, shape (BETWEEN, D).
        plane: E[z | x] of all test images, shape (N, 2); of a z of two dimensions alone.
    """
    if not vae.has_latents or not vae.any_z_has_a_density:
        return {}
    found = _traverse(vae, posterior_mean)
    ends = unlike_pair(grey)
    share = np.linspace(0, 1, BETWEEN)[:, None]
    first, last = posterior_mean[ends]
    found |= {"ends": ends, "interpolation": _mean_images(vae, first + share * (last - first))}
    if vae.latent_dim == 2:
        found["plane"] = posterior_mean
    return found


def unlike_pair(grey: np.ndarray) -> np.ndarray:
    """The first image, and of the first thousand the one that differs from it most: numbers.

    By the sum of squared differences of levels.
    """
    squares = [np.square(image - grey[0].astype(float)).sum() for image in grey[:SEARCHED]]
    return np.array([0, int(np.argmax(squares))])


def _traverse(vae: Model, posterior_mean: np.ndarray) -> dict[str, np.ndarray]:
    """Each dimension by itself, the others at their mean over the test images."""
    centre, spread = posterior_mean.mean(0), posterior_mean.std(0, ddof=1)
    ends = centre + np.stack([STEPS[0] * np.diag(spread), STEPS[-1] * np.diag(spread)])
    low, high = (_mean_images(vae, end) for end in ends)
    change = np.square(high.astype(float) - low).sum(1)
    traversed = np.argsort(-change, kind="stable")[:DIMENSIONS]
    ways = [centre + STEPS[:, None] * np.diag(spread)[dimension] for dimension in traversed]
    return {"traversed": traversed, "traversal": np.stack([_mean_images(vae, way) for way in ways])}


def _mean_images(vae: Model, z: np.ndarray) -> np.ndarray:
    """E[x | z] as shares of the highest level, float32, of z of shape (n, L): shape (n, D)."""
    rows: Tensor = torch.from_numpy(z).to(vae.device, vae.dtype)
    means = [vae.likelihood.mean(vae.decode(some)) for some in rows.split(DECODED_AT_ONCE)]
    return torch.cat(means).float().cpu().numpy()
