"""Estimates of log p(x) side by side, image by image: importance sampling, and AIS in its steps.

On test images both are stochastic lower bounds: on average below log p(x), and above it by more
than some nats hardly ever (Grosse et al., arXiv:1511.02543). On images that the model itself made
AIS gives an upper bound as well, and what lies between is how far off the lower ones can be.
"""

import math
from collections.abc import Sequence
from typing import Any

import numpy as np
import torch
from torch import Tensor

from elboflow.vae.annealing.ais import Tick, pilot, schedule
from elboflow.vae.annealing.chains import ChainNoise, path_of, start_of
from elboflow.vae.measure.checks import ROUNDING, STANDARD_ERRORS, ImpossibleResult
from elboflow.vae.measure.estimate import ImportanceWeights, estimate_log_likelihood, image_noise
from elboflow.vae.model.model import Model
from elboflow.vae.model.posterior import Posterior
from elboflow.vae.model.simulation import simulate
from elboflow.vae.noise import Purpose
from elboflow.vae.spec import BoundsSpec

COLUMNS = (
    *("importance_nats", "importance_error_nats", "importance_ess", "importance_pareto_k"),
    *("ais_nats", "ais_error_nats", "ais_ess", "ais_acceptance"),
    *("upper_nats", "upper_error_nats"),
)


def bounds_on_simulated(
    vae: Model, spec: BoundsSpec, seed: int, images: Sequence[int], tick: Tick = lambda: None
) -> dict[str, Tensor]:
    """All COLUMNS for images of these numbers that the model makes."""
    z, x = simulate(vae, seed, images)
    return bounds(vae, spec, seed, images, x, z, tick)


def bounds(
    vae: Model,
    spec: BoundsSpec,
    seed: int,
    images: Sequence[int],
    x: Tensor,
    exact: Tensor | None = None,
    tick: Tick = lambda: None,
) -> dict[str, Tensor]:
    """All COLUMNS but the upper bound, or that as well, each float64, of shape (B,).

    Args:
        images: numbers of the images, which key their noise.
        x: the images, shape (B, D).
        exact: a sample of p(z | x) for each, shape (B, L), where there is one.
    """
    with torch.no_grad():
        posterior = vae.encode(x)
        noise = image_noise(vae, seed, Purpose.IMPORTANCE, images)
        importance = estimate_log_likelihood(
            vae, x, posterior, noise, spec.importance_samples, spec.chunk_samples
        )
    found = {
        "importance_nats": importance.log_likelihood,
        "importance_error_nats": importance.monte_carlo_error,
        "importance_ess": importance.ess,
        "importance_pareto_k": importance.pareto_k,
    }
    return found | _annealed(vae, spec, seed, images, x, posterior, exact, tick)


def _annealed(
    vae: Model,
    spec: BoundsSpec,
    seed: int,
    images: Sequence[int],
    x: Tensor,
    posterior: Posterior,
    exact: Tensor | None,
    tick: Tick,
) -> dict[str, Tensor]:
    """The COLUMNS of AIS; arguments as of `bounds`."""
    forward, reverse, trial = (
        ChainNoise(vae, seed, purpose, images, spec.ais_chains)
        for purpose in (Purpose.AIS_FORWARD, Purpose.AIS_REVERSE, Purpose.AIS_PILOT)
    )
    path, temperatures = path_of(vae, x, posterior, spec.ais_start), schedule(spec.ais_temperatures)
    first = start_of(vae, posterior, spec.ais_start, trial)
    annealing = pilot(path, first, temperatures, spec.ais_leapfrog_steps, trial, tick)
    z = start_of(vae, posterior, spec.ais_start, forward)
    log_weights, acceptance = annealing.forward(z, forward, tick)
    lower = ImportanceWeights(log_weights)
    found = {
        "ais_nats": lower.log_likelihood,
        "ais_error_nats": lower.monte_carlo_error,
        "ais_ess": lower.ess,
        "ais_acceptance": acceptance,
    }
    if exact is not None:
        # All chains start at the one exact sample that there is: the bound holds, since each of
        # them starts at an exact sample, but its error over chains knows nothing of other samples.
        inverse = ImportanceWeights(annealing.reverse(exact.expand_as(z), reverse, tick)[0])
        found["upper_nats"] = -inverse.log_likelihood
        found["upper_error_nats"] = inverse.monte_carlo_error
    return found


def require_bracket(rows: Sequence[dict[str, Any]]) -> None:
    """Refuse rows that no correct computation gives.

    Raises:
        ImpossibleResult: a bound that is not finite, or lower bounds above the upper ones on
            average over the simulated images, by more than the errors explain.
    """
    for name in ("importance_nats", "ais_nats", "upper_nats"):
        if not all(math.isfinite(row[name]) for row in rows if name in row):
            raise ImpossibleResult(f"{name}: not finite for some images")
    bracketed = [row for row in rows if "upper_nats" in row]
    for name in ("ais", "importance"):
        lower, error, upper, upper_error = (
            np.array([row[column] for row in bracketed])
            for column in (
                *(f"{name}_nats", f"{name}_error_nats"),
                *("upper_nats", "upper_error_nats"),
            )
        )
        excess, count = lower - upper, len(bracketed)
        # Over few images by chance small: not below what the chains say.
        monte_carlo = np.sqrt(np.square(error).sum() + np.square(upper_error).sum()) / count
        spread = excess.std(ddof=1) / count**0.5 if count > 1 else 0.0
        limit = STANDARD_ERRORS * max(spread, monte_carlo) + ROUNDING * np.abs(upper).mean()
        if excess.mean() > limit:
            raise ImpossibleResult(
                f"on simulated images {name} is {excess.mean():.4f} nats above the upper bound of "
                "log p(x): more than chance allows; the estimators or the model are wrong"
            )
