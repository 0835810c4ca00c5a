"""How often the errors that are printed cover: counted over repeats in models that are exact."""

from collections.abc import Iterator
from types import SimpleNamespace
from typing import Any

import numpy as np
import torch
from checks.models import linear_vae
from checks.rows import Row, counted
from torch.distributions import MultivariateNormal

from elboflow.vae.annealing.bounds import bounds_on_simulated
from elboflow.vae.measure.estimate import estimate_elbo, image_noise
from elboflow.vae.measure.summary import mean_of
from elboflow.vae.model.linear_gaussian import maximum_likelihood
from elboflow.vae.model.simulation import FIRST_IMAGE, simulate
from elboflow.vae.noise import Purpose

Z = 1.959964  # half of a 95 % interval, in standard errors
ONE_SIDED = 1.644854  # is exceeded in 5 % of cases


def monte_carlo_error(images: np.ndarray, repeats: int = 200) -> Iterator[Row]:
    """Of the mean ELBO of 100 digits, q = N(0.9 mean, 2 variance), with other noise each time."""
    best, x = maximum_likelihood(images, 10), torch.from_numpy(images[:100])
    vae = linear_vae(best, 0.9, 2)
    q = vae.encode(x)
    exact = best.elbo(x.numpy(), q.mean.numpy(), (2 * q.log_sd).exp().numpy()).mean()
    for samples in (5, 20):
        held = []
        for seed in range(repeats):
            noise = image_noise(vae, seed, Purpose.ELBO, range(100))
            found = estimate_elbo(vae, x, q, noise, samples=samples, chunk=20)
            mean = mean_of("elbo", found.elbo.numpy(), found.monte_carlo_error.numpy())
            held.append(abs(mean.value - exact) < Z * (mean.monte_carlo_error or 0.0))
        yield counted(f"MC error of the mean ELBO, {samples} samples, covers", 0.95, held)


def data_error(images: np.ndarray, repeats: int = 2000) -> Iterator[Row]:
    """Of 397 images from all digits under a linear model, and from tails to one side."""
    random = np.random.default_rng(0)
    log_p = maximum_likelihood(images, 10).log_likelihood(images)
    held = [
        _holds(log_p[random.integers(0, len(log_p), 397)], log_p.mean()) for _ in range(repeats)
    ]
    yield counted("data error of the mean log p(x) of digits covers", 0.95, held)
    tails = {0.5: "a skewness of 1.8", 1.0: "a skewness of 6.2"}
    for sd, told in tails.items():
        held = [
            _holds(-np.exp(sd * random.normal(size=397)), -np.exp(sd**2 / 2))
            for _ in range(repeats)
        ]
        yield counted(f"data error of 397 values with {told} covers", 0.93, held, "≥")


def _holds(values: np.ndarray, truth: float) -> bool:
    mean = mean_of("log_likelihood", values)
    return abs(mean.value - truth) < Z * (mean.data_error or 0.0)


def two_sided_bounds(images: np.ndarray, repeats: int = 100) -> Iterator[Row]:
    """AIS of 40 images that the linear model made, other ones each time, from q(z | x)."""
    best = maximum_likelihood(images, 10)
    vae = linear_vae(best, 0.9, 2)
    covariance = best.weights @ best.weights.T + best.variance * np.eye(64)
    evidence = MultivariateNormal(*map(torch.from_numpy, (best.mean, covariance)))
    spec: Any = SimpleNamespace(
        importance_samples=20,
        chunk_samples=20,
        ais_temperatures=20,
        ais_chains=4,
        ais_leapfrog_steps=5,
        ais_start="posterior",
    )
    wrong: dict[str, list[bool]] = {"ais_nats": [], "upper_nats": []}
    held = []
    for repeat in range(repeats):
        made = [FIRST_IMAGE + 40 * repeat + image for image in range(40)]
        exact = evidence.log_prob(simulate(vae, 0, made)[1])
        both = bounds_on_simulated(vae, spec, 0, made)
        off = {name: (both[name] - exact).numpy() for name in wrong}
        means = {name: mean_of(name, values) for name, values in off.items()}
        low, high = means["ais_nats"], means["upper_nats"]
        wrong["ais_nats"].append(low.value > ONE_SIDED * (low.data_error or 0.0))
        wrong["upper_nats"].append(-high.value > ONE_SIDED * (high.data_error or 0.0))
        ends = low.value - Z * (low.data_error or 0.0), high.value + Z * (high.data_error or 0.0)
        held.append(ends[0] < 0 < ends[1])
    for name, rejected in wrong.items():
        yield counted(f"{name}, 40 images: on the wrong side of log p(x)", 0.05, rejected, "≤")
    yield counted("AIS and upper bound, 40 images, hold log p(x) between them", 0.95, held, "≥")
