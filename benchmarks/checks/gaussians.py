"""Gaussian KLs and linear-Gaussian models, where all is known in closed form."""

import math
from collections.abc import Iterator
from typing import Any

import numpy as np
import torch
from checks.models import float64, linear_vae, noise
from checks.rows import STANDARD_ERRORS, Row, estimated, largest, sampled
from torch import Tensor
from torch.distributions import Normal, kl_divergence

from elboflow.vae.measure.estimate import estimate_elbo, image_noise
from elboflow.vae.model.draws import draw
from elboflow.vae.model.gaussian import Gaussian
from elboflow.vae.model.linear_gaussian import maximum_likelihood
from elboflow.vae.model.priors import Mixture
from elboflow.vae.noise import Purpose
from elboflow.vae.training.objectives import importance_weighted


def gaussian_kl(images: np.ndarray) -> Iterator[Row]:
    mean, sd = float64([0.5, -1, 2]), float64([0.3, 1.5, 1])
    q, prior = Gaussian(mean, sd.log()), Mixture(1, 3).double()
    yield Row("KL(q to N(0, I))", 3.5935076962177717, q.kl().item())
    torchs = kl_divergence(Normal(mean, sd), Normal(0.0, 1.0))
    yield largest("its terms against torch's", torchs, q.kl_per_dimension())
    prior.mean.copy_(float64(0.1, 0.2, -0.3))
    prior.log_sd.copy_(float64(0.7, 1.1, 2.0).log())
    z, log_q = q.sample(noise(200_000, 1, 3))
    rates = (log_q - prior.log_prob(z))[:, 0]
    yield sampled("KL(q to a prior of one Gaussian)", 2.296435541889388, rates)


def linear_optimum(images: np.ndarray) -> Iterator[Row]:
    """Digits under the linear models of largest likelihood; golden values to six decimals."""
    golden = {1: -3.748464, 2: 0.005707, 5: 8.907637, 10: 17.451947, 20: 27.277300, 30: 34.192361}
    for latent, value in golden.items():
        found = maximum_likelihood(images, latent).log_likelihood(images).mean()
        yield Row(f"mean log p(x), L = {latent}", value, found, 1e-6)
    best, x = maximum_likelihood(images, 10), torch.from_numpy(images)
    log_p, vae = best.log_likelihood(images), linear_vae(best)
    q = vae.encode(x)
    yield Row("mean KL, L = 10", 12.796141, q.kl().mean().item(), 1e-6)
    bound = best.elbo(images, q.mean.numpy(), (2 * q.log_sd).exp().numpy())
    yield largest("ELBO against log p(x) at the optimum", log_p, bound)
    weights = draw(vae, x, noise(3, len(x), 10), q).log_weights
    yield largest("log weights against log p(x) at the optimum", log_p, weights)


def linear_gap(images: np.ndarray) -> Iterator[Row]:
    """Ten latents, and q = N(0.9 mean, 2 variance) of p(z | x)."""
    best, x = maximum_likelihood(images, 10), torch.from_numpy(images)
    vae, log_p = linear_vae(best, 0.9, 2), torch.from_numpy(best.log_likelihood(images))
    q, truth = vae.encode(x), linear_vae(best).encode(x)
    exact = torch.from_numpy(best.elbo(images, q.mean.numpy(), (2 * q.log_sd).exp().numpy()))
    yield Row("ELBO of a q that is not p(z given x)", 15.206256, exact.mean().item(), 1e-6)
    yield Row("gap of that q", 2.245691, (log_p - exact).mean().item(), 1e-6)
    kl = kl_divergence(*(Normal(p.mean, p.log_sd.exp()) for p in (q, truth))).sum(-1)
    yield largest("gap against torch's KL(q to p(z given x))", kl, log_p - exact)
    epsilon = image_noise(vae, 0, Purpose.ELBO, range(len(x)))
    found = estimate_elbo(vae, x, q, epsilon, samples=20, chunk=10)
    yield estimated("ELBO of that q, 20 samples", exact, found.elbo, found.monte_carlo_error)
    for k in (1, 2, 5, 50):
        repeats, shape = 1000 // k, (200, 10)
        z = noise(k, repeats * 200, 10)
        bound = importance_weighted(draw(vae, x[:200].repeat(repeats, 1), z)).objective
        values = [v.view(-1, 200).mean(1) for v in (bound, log_weight_means(q, truth, k, shape))]
        found, wanted = values[0], values[1] + log_p[:200].mean()
        error = math.hypot(*(v.std().item() / len(v) ** 0.5 for v in (found, wanted)))
        limits = wanted.mean().item(), found.mean().item(), STANDARD_ERRORS * error
        yield Row(f"E L_k, k = {k}, 200 images", *limits)


def log_weight_means(q: Any, truth: Any, k: int, shape: tuple[int, int]) -> Tensor:
    """L_k - log p(x) of numpy's own draws, with log w - log p(x) = log p(z | x) - log q(z | x)."""
    e = np.random.default_rng(0).normal(size=(5000, *shape))
    variance = (2 * truth.log_sd[0]).exp().numpy()
    offset = (q.mean - truth.mean)[: shape[0]].numpy() + np.sqrt(2 * variance) * e
    log_ratio = 0.5 * (np.log(2) + e**2 - offset**2 / variance).sum(-1)
    return torch.from_numpy(np.log(np.exp(log_ratio).reshape(-1, k, shape[0]).mean(1)))
