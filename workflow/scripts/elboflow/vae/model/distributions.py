"""Exponential families on [0, 1] in their natural parameter, stable for any value of it."""

from collections.abc import Callable

import torch
from torch import Tensor

SMALL = 0.1  # |eta| / 2 below which the series are exact to 1e-15, and the formulas are 0 / 0


def log_mean_exponential(eta: Tensor) -> Tensor:
    """log of the integral of exp(eta t) over t in [0, 1]: log((e^eta - 1) / eta).

    It is eta / 2 + log(sinh(h) / h) with h = |eta| / 2. For lambda = sigmoid(eta),
    log(1 - lambda) + log C(lambda) of Loaiza-Ganem and Cunningham, arXiv:1907.06845, is its
    negative.
    """
    half = eta.abs() / 2
    square = half.clamp(max=SMALL).square()  # so that the branch not taken has no infinite gradient
    series = square * (1 / 6 - square * (1 / 180 - square * (1 / 2835 - square / 37800)))
    large = half.clamp(min=SMALL)
    formula = large + torch.log1p(-torch.exp(-2 * large)) - torch.log(2 * large)
    return eta / 2 + torch.where(half < SMALL, series, formula)


def mean_of_exponential(eta: Tensor) -> Tensor:
    """Mean of the density proportional to exp(eta t) on [0, 1]: the derivative of the above.

    It is 1/2 + (coth(h) - 1 / h) / 2 with h = eta / 2.
    """
    half = eta / 2
    small, large = half.clamp(-SMALL, SMALL), half.abs().clamp(min=SMALL)
    square = small.square()
    series = small * (1 / 3 - square * (1 / 45 - square * (2 / 945 - square / 4725)))
    formula = half.sign() * (1 / large.tanh() - 1 / large)
    return 0.5 + 0.5 * torch.where(half.abs() < SMALL, series, formula)


def level_log_weights(eta: Tensor, levels: int) -> Tensor:
    """Unnormalised log-probabilities eta k / levels of the levels k, shape (D,) to (D, levels + 1).

    Of all distributions over the levels with a given mean, the one of largest entropy.
    """
    return eta[..., None] * torch.linspace(0, 1, levels + 1, dtype=eta.dtype, device=eta.device)


def mean_of_levels(weights: Tensor) -> Tensor:
    """Mean level as a share of the largest, for weights of shape (..., levels + 1)."""
    grey = torch.linspace(0, 1, weights.shape[-1], dtype=weights.dtype, device=weights.device)
    return weights @ grey / weights.sum(-1)


def inverse_mean(mean: Callable[[Tensor], Tensor], target: Tensor) -> Tensor:
    """The eta whose mean is `target`, by bisection on an increasing function of [-2000, 2000]."""
    low, high = torch.full_like(target, -2000.0), torch.full_like(target, 2000.0)
    for _ in range(60):
        middle = (low + high) / 2
        below = mean(middle) < target
        low, high = torch.where(below, middle, low), torch.where(below, high, middle)
    return (low + high) / 2
