"""Importance sampling and AIS beside the exact log p(x) of a linear model."""

import sys
import time
from collections.abc import Iterator
from types import SimpleNamespace
from typing import Any

import numpy as np
import torch
from checks.models import importance, linear_vae
from checks.rows import Row, estimated, sampled
from torch import Tensor
from torch.distributions import MultivariateNormal

from elboflow.vae.annealing.bounds import bounds, bounds_on_simulated
from elboflow.vae.model.linear_gaussian import maximum_likelihood
from elboflow.vae.model.simulation import FIRST_IMAGE, simulate


def annealing(images: np.ndarray) -> Iterator[Row]:
    """50 digits under the model of linear_gap, by IS and by AIS, and from above where simulated."""
    best = maximum_likelihood(images, 10)
    vae, x = linear_vae(best, 0.9, 2), torch.from_numpy(images[:50])
    covariance = best.weights @ best.weights.T + best.variance * np.eye(64)
    evidence = MultivariateNormal(*map(torch.from_numpy, (best.mean, covariance)))
    began, log_p, found = time.monotonic(), evidence.log_prob(x), importance(vae, x, 2000)
    yield timed("IS, K = 2000", log_p, found.log_likelihood, found.monte_carlo_error, began)
    made = [FIRST_IMAGE + image for image in range(50)]
    exact = evidence.log_prob(simulate(vae, 0, made)[1])
    for start in ("posterior", "prior"):
        spec: Any = SimpleNamespace(
            importance_samples=20,
            chunk_samples=20,
            ais_temperatures=100,
            ais_chains=16,
            ais_leapfrog_steps=10,
            ais_start=start,
        )
        name, began = f"AIS, T = 100, {start}", time.monotonic()
        ais = bounds(vae, spec, 0, range(50), x)
        yield timed(name, log_p, ais["ais_nats"], ais["ais_error_nats"], began)
        both = bounds_on_simulated(vae, spec, 0, made)
        for side, column in (("≤", "ais_nats"), ("≥", "upper_nats")):
            off = both[column] - exact
            yield sampled(f"{name}, {column} - log p(x), simulated", 0.0, off, side)


def timed(name: str, exact: Tensor, found: Tensor, error: Tensor, began: float) -> Row:
    """Print how far estimates for images are off, each of shape (B,), and how long they took."""
    seconds, rms = time.monotonic() - began, (found - exact).square().mean().sqrt()
    stated = error.square().mean().sqrt()
    told = f"{name}: rms error {rms:.4f} nats, stated {stated:.4f}, {seconds:.1f} seconds"
    print(told, file=sys.stderr)
    return estimated(f"mean log p(x) of 50 images, {name}", exact, found, error)
