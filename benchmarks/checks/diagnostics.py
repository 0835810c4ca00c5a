"""Overfitting without any, and the search for the best q, where the truth is known."""

from collections.abc import Iterator

import numpy as np
import torch
from checks.models import linear_vae
from checks.rows import Row, counted

from elboflow.vae.annealing.amortisation import best_posterior
from elboflow.vae.measure.estimate import image_noise
from elboflow.vae.measure.overfitting import difference
from elboflow.vae.measure.summary import mean_of
from elboflow.vae.model.linear_gaussian import LinearGaussian, maximum_likelihood
from elboflow.vae.model.simulation import FIRST_IMAGE, simulate
from elboflow.vae.noise import Purpose


def no_overfitting(images: np.ndarray, repeats: int = 5000) -> Iterator[Row]:
    """Pairs of splits that a model of the digits made: 95 % intervals of the difference cover 0."""
    best = maximum_likelihood(images, 10)
    made = simulate(linear_vae(best), 0, range(FIRST_IMAGE, FIRST_IMAGE + 20_000))[1].numpy()
    log_p, random = best.log_likelihood(made), np.random.default_rng(0)
    for train, test in ((1000, 397), (100, 50)):
        hits = []
        for _ in range(repeats):
            chosen = random.choice(log_p, train + test, replace=False)
            halves = (
                mean_of("log p(x)", part, np.zeros(len(part)))
                for part in (chosen[:train], chosen[train:])
            )
            found = difference("train minus test", *halves)
            hits.append(abs(found.value) < 1.96 * (found.data_error or 0))
        yield counted(f"no overfitting, {train} and {test} images, interval covers 0", 0.95, hits)


def best_diagonal_q(images: np.ndarray) -> Iterator[Row]:
    """50 digits, ten dependent latents: how far below the best q the search ends."""
    best = maximum_likelihood(images, 10)
    turn = np.linalg.qr(np.random.default_rng(0).normal(size=(10, 10)))[0]
    turned, x = LinearGaussian(best.weights @ turn, best.mean, best.variance), images[:50]
    vae = linear_vae(turned, 0.9, 2).requires_grad_(False)
    means, covariance = turned.posterior(x)
    variances = np.tile(1 / np.linalg.inv(covariance).diagonal(), (50, 1))
    noise = image_noise(vae, 0, Purpose.BEST_POSTERIOR, range(50))
    tensor = torch.from_numpy(x)
    q = best_posterior(vae, tensor, vae.encode(tensor), noise)
    found = turned.elbo(x, q.mean.numpy(), (2 * q.log_sd).exp().numpy())
    lost = turned.elbo(x, means, variances) - found
    yield Row("best diagonal q, ELBO that the search misses, largest of 50", 0.0, lost.max(), 0.02)
