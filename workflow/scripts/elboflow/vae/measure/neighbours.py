"""Whose nearest neighbour is whose: real and made images, by their distance in pixels.

Lopez-Paz and Oquab, Revisiting classifier two-sample tests, ICLR 2017, arXiv:1610.06545, take the
accuracy of the nearest neighbour's label. Its two halves are kept apart here, as by Xu et al., An
empirical study on evaluation metrics of generative adversarial networks, 2018, arXiv:1806.07755:
one may be 1 and the other 0, of images that are nothing alike, with a mean of 0.5.
"""

from dataclasses import dataclass

import torch
from torch import Tensor

from elboflow.vae.measure.estimate import chunks

MADE_AT_ONCE = 100
Estimate = tuple[float, float]
"""A value and its standard error."""


@dataclass(frozen=True)
class Halves:
    """Shares of images whose nearest neighbour, among all others, is of their own kind.

    `real`: of the real images, with its error; `made`: of the made ones. `null`: what each of both
    would be, and its standard deviation, if both kinds were of one distribution.
    """

    real: Estimate
    made: Estimate
    null: Estimate


def halves(real: Tensor, made: Tensor) -> Halves:
    """Both halves of the leave-one-out accuracy. Of several nearest neighbours each counts in part.

    Mean and standard deviation under the null are exact given the images: those over all ways to
    call half of them real (Henze, A multivariate two-sample test based on the number of
    nearest neighbor type coincidences, Annals of Statistics 16, 1988). The errors allow for images
    that share a neighbour, or are each other's: they are right or wrong together.

    Args:
        real, made: as many images of either kind, shape (n, D).
    """
    both, count = torch.cat([real, made]).double(), len(real)
    distances = squared_distances(both, both).fill_diagonal_(torch.inf)
    weights = _of_nearest(distances)
    own = torch.arange(2 * count, device=both.device) < count
    mutual = weights * weights.T
    null = (count - 1) / (2 * count - 1), _null_sd(weights, mutual.sum().item())
    return Halves(_half(weights, mutual, own), _half(weights, mutual, ~own), null)


def _null_sd(weights: Tensor, mutual: float) -> float:
    """Of a half, over all ways to call half of the N = 2 n images real.

    With signs a = 1 of what is called real and -1 of the rest, n times a half is
    N / 4 + sum_j d_j a_j / 4 + sum_ij w_ij a_i a_j / 4, where w are the weights and d_j their sums
    over i. The products of two and of four different signs have means of their own.
    """
    n, taken = len(weights), weights.sum(0)
    of_two, of_four = -1 / (n - 1), 3 / ((n - 1) * (n - 3))
    same = weights.square().sum().item() + mutual
    shared = 3 * n + taken.square().sum().item() - 2 * same  # pairs of pairs with one in common
    products = same + shared * of_two + (n * n - same - shared) * of_four - (n * of_two) ** 2
    linear = (taken - 1).square().sum().item() * n / (n - 1)
    return max(linear + products, 0.0) ** 0.5 / (2 * n)


def _half(weights: Tensor, mutual: Tensor, own: Tensor) -> Estimate:
    right = (weights @ own.double())[own]
    off = torch.zeros_like(own, dtype=torch.float64)
    off[own] = right - right.mean()
    variance = (weights.T @ off).square().sum() + off @ mutual @ off
    return right.mean().item(), variance.clamp(min=0).sqrt().item() / len(right)


def nearer_to_first(made: Tensor, first: Tensor, second: Tensor) -> tuple[Estimate, Estimate]:
    """Share of made images whose nearest image among two sets is in the first; and the null.

    The error allows for made images that share their nearest one. The null is what the share would
    be, and its standard deviation, if the made images knew nothing of either set: over all ways to
    call half of these images the first.

    Args:
        made: shape (n, D).
        first, second: as many images of either set, shape (m, D).
    """
    others = torch.cat([first, second]).double()
    shares, taken = [], torch.zeros(2, len(others), dtype=torch.float64, device=made.device)
    for start, count in chunks(len(made), MADE_AT_ONCE):
        weights = _of_nearest(squared_distances(made[start : start + count].double(), others))
        shares.append(weights[:, : len(first)].sum(1))
        taken += torch.stack([weights.sum(0), shares[-1] @ weights])
    share = torch.cat(shares).mean()
    error = (taken[1] - share * taken[0]).norm().item() / len(made)
    null_sd = 0.5 * len(others) ** 0.5 * taken[0].std().item() / len(made)
    return (share.item(), error), (0.5, null_sd)


def squared_distances(a: Tensor, b: Tensor) -> Tensor:
    """|a - b|^2, shape (A, B), of rows; at least 0."""
    squares = a.square().sum(1)[:, None] + b.square().sum(1)
    return (squares - 2 * a @ b.T).clamp(min=0)


def _of_nearest(distances: Tensor) -> Tensor:
    """What each nearest column counts in a row, 1 in all; of the shape of `distances`."""
    nearest = (distances == distances.min(1, keepdim=True).values).double()
    return nearest / nearest.sum(1, keepdim=True)
