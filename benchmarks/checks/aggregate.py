"""The bounds on the marginal KL where that is known, and their errors against the spread.

q(z | x_n) = N(means_n, sd^2 I) in L dimensions with the means drawn anew at each repeat, so that
q(z) and its KL from N(0, I) are known; the prior itself where nothing is said.
"""

import math
from collections.abc import Iterator
from types import SimpleNamespace
from typing import Any

import numpy as np
import torch
from checks.rows import Row, counted

from elboflow.vae.measure import aggregate
from elboflow.vae.measure.aggregate import AggregatePosterior, Estimate
from elboflow.vae.measure.held_out import marginal_kl_at_least
from elboflow.vae.model.gaussian import Gaussian
from elboflow.vae.model.priors import StandardNormal

ERRORS = 2.0  # by which a marginal KL must be above 0 to be reported


def drawn(
    random: np.random.Generator, shape: tuple[int, int], sd: float, scale: float, shift: float = 0
) -> AggregatePosterior:
    """Images of which q(z) is N(shift, scale^2 I), with two draws each; shape: (N, L)."""
    means = torch.from_numpy(random.normal(shift, (scale**2 - sd**2) ** 0.5, shape))
    known: Any = SimpleNamespace(
        latent_dim=shape[1],
        dtype=means.dtype,
        device="cpu",
        prior=StandardNormal(),
        encode=lambda x: Gaussian(x, torch.full_like(x, math.log(sd))),
    )
    aggregate.DRAWS = 1  # and so the least, two
    return AggregatePosterior(known, means, int(random.integers(2**31)))


def with_error(found: Estimate) -> tuple[float, float]:
    spread = found.pseudo_values.std().item()
    return found.values.mean().item(), spread / len(found.values) ** 0.5


def no_holes(
    images: np.ndarray, repeats: int = 40, count: int = 397, latent: int = 5, rate: float = 6.48
) -> Iterator[Row]:
    """An exact posterior and the model's own data: the marginal KL is 0."""
    random, sd = np.random.default_rng(1), math.exp(-rate / latent)
    lower, upper, subtracted = [], [], []
    for _ in range(repeats):
        whole = drawn(random, (count, latent), sd, 1.0)
        lower.append(with_error(marginal_kl_at_least(whole)))
        upper.append(with_error(whole.marginal_kl()))
        # What another encoder, whose q(z) is the prior on the data alone, has on its own images.
        own = with_error(drawn(random, (count, latent), sd, 0.9).marginal_kl())
        excess = upper[-1][0] - own[0]
        subtracted.append(excess > ERRORS * math.hypot(upper[-1][1], own[1]))
    name = f"L = {latent}, rate {rate}, N = {count}"
    found = np.array(lower)
    surely = found[:, 0] > ERRORS * found[:, 1]
    yield counted(f"holes found where there are none, {name}", 0.05, surely, "≤")
    yield Row(f"mean lower bound, {name}", 0.0, found[:, 0].mean(), 0.01, "≤")
    yield Row(f"mean upper bound, {name}", 0.0, np.array(upper)[:, 0].mean(), 0.0, "≥")
    words = f"the same by upper bound minus that of own images (not used), {name}"
    yield counted(words, 0.5, subtracted, "≥")


def known_marginal_kl(images: np.ndarray, repeats: int = 40, count: int = 397) -> Iterator[Row]:
    """q(z) = N(shift, scale^2 I) in five dimensions."""
    random, sd = np.random.default_rng(2), 0.274
    for scale, shift in ((1.5, 0.0), (0.7, 0.0), (1.0, 0.3)):
        truth = 5 * (0.5 * (scale**2 + shift**2 - 1) - math.log(scale))
        found = []
        for _ in range(repeats):
            whole = drawn(random, (count, 5), sd, scale, shift)
            bounds = marginal_kl_at_least(whole), whole.marginal_kl()
            found.append([number for bound in bounds for number in with_error(bound)])
        lower, error, upper, upper_error = np.array(found).T
        name = f"marginal KL {truth:.3f}, N = {count}"
        inside = (lower - ERRORS * error < truth) & (truth < upper + ERRORS * upper_error)
        yield counted(f"between its bounds and 2 errors, {name}", 0.95, inside, "≥")
        yield counted(f"found, {name}", 0.8, lower > ERRORS * error, "≥")
        yield Row(f"mean lower bound, {name}", truth, lower.mean(), 0.15 * truth)


def error_of_information(images: np.ndarray, repeats: int = 400, count: int = 60) -> Iterator[Row]:
    """The data error of the mutual information over its spread, two dimensions, rate 3.0."""
    random, sd, found = np.random.default_rng(3), 0.22, []
    for _ in range(repeats):
        whole = drawn(random, (count, 2), sd, 1.0)
        rate, kl = whole.rate()[0], whole.marginal_kl()
        information = rate - kl.values
        errors = [(rate - kl.pseudo_values).std().item(), information.std().item()]
        found.append([information.mean().item(), *(e / count**0.5 for e in errors)])
    values = np.array(found)
    jackknife, given = values[:, 1:].mean(0) / values[:, 0].std(ddof=1)
    name = f"error of the mutual information over its spread, N = {count}"
    yield Row(f"{name}, jackknife", 1.1, jackknife, 0.2)
    yield Row(f"{name}, q(z) as given (not used)", 0.9, given, 0.0, "≤")
