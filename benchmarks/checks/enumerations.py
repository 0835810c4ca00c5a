"""Sums over all values of z or all images, quadrature, and sums in parts."""

import math
from collections.abc import Iterator
from dataclasses import MISSING, fields

import numpy as np
import torch
from checks.models import PIXELS, fill, float64, importance, make_vae, noise, tabular
from checks.rows import STANDARD_ERRORS, Row, estimated, largest

from elboflow.vae.data import ImageShape, rank_slice
from elboflow.vae.measure.baselines import Baselines
from elboflow.vae.measure.estimate import ImportanceWeights
from elboflow.vae.measure.summary import PerImage, mean_of, summarise
from elboflow.vae.model.binary_likelihoods import Bernoulli
from elboflow.vae.model.enumeration import exact_log_likelihood
from elboflow.vae.model.level_likelihoods import Categorical, DiscretisedLogistic
from elboflow.vae.model.unit_likelihoods import ContinuousBernoulli, Gaussian
from elboflow.vae.training.objectives import enumerated

ALL_IMAGES = torch.cartesian_prod(*[torch.arange(2.0)] * PIXELS).double()


def two_cases(images: np.ndarray) -> Iterator[Row]:
    """Spam or ham from three words; p(spam) = 0.4 is two of five values of equal probability."""
    x, case = float64([1, 0, 1]), torch.tensor([0, 0, 1, 1, 1])
    words = float64([0.8, 0.1, 0.3], [0.2, 0.05, 0.6])[case].logit()
    for spam, golden in {0.5: -1.8724278482, 0.9: -2.1470461149, 24 / 43: -1.8656213178}.items():
        model = tabular(words, float64([spam / 2, (1 - spam) / 3])[:, case].log())
        found = enumerated(model, x).elbo.item()
        yield Row(f"ELBO, q(spam) = {spam:.4f}", golden, found)
    yield Row("log p(x)", -1.8656213178265104, exact_log_likelihood(model, x).item())


def eight_bits(images: np.ndarray) -> Iterator[Row]:
    """Eight Bernoulli latents as one variable of 2^8 values, q(z | x) independent bits."""
    bits = torch.cartesian_prod(*[torch.arange(2.0)] * 8).double()
    logits = torch.tanh(bits @ noise(8, 10)) @ noise(10, PIXELS, seed=2)
    log_q = torch.nn.functional.logsigmoid(noise(20, 1, 8, seed=3) * (2 * bits - 1)).sum(-1)
    model, x = tabular(logits, log_q), (noise(20, PIXELS, seed=4) > 0).double()
    gap = (exact_log_likelihood(model, x) - enumerated(model, x).elbo).numpy()
    joint = x.numpy() @ logits.numpy().T - np.logaddexp(0, logits.numpy()).sum(1)
    log_posterior = joint - np.logaddexp.reduce(joint, 1)[:, None]
    kl = (log_q.exp().numpy() * (log_q.numpy() - log_posterior)).sum(1)
    yield Row("mean gap of 8 Bernoulli latents", kl.mean(), gap.mean())
    yield largest("gap against KL(q to p(z given x))", kl, gap)
    total = exact_log_likelihood(model, ALL_IMAGES).exp().sum().item()
    yield Row("sum of p(x) over 2^12 images, z discrete", 1.0, total)


def quadrature(images: np.ndarray) -> Iterator[Row]:
    """Two latents and a decoder of one layer: log p(x) by the trapezoid rule on [-7, 7]^2."""
    vae = make_vae(ImageShape(3, 4, 1, 1), decoder_layers=[8])
    for parameter in vae.decoder.parameters():
        parameter.mul_(3)  # so that p(z | x) is no Gaussian
    fill(vae.posterior.mean, 0.0, 0.0)
    fill(vae.posterior.log_sd, 0.0, 0.4)
    axis = np.linspace(-7, 7, 401)
    z = np.stack(np.meshgrid(axis, axis), -1).reshape(-1, 2)
    (w1, b1), (w2, b2) = ((p.weight.numpy(), p.bias.numpy()) for p in (vae.decoder[0], vae.output))
    logits, x = np.tanh(z @ w1.T + b1) @ w2.T + b2, (noise(20, PIXELS) > 0).double()
    log_rest = np.logaddexp(0, logits).sum(1) + 0.5 * (z**2).sum(1)
    node = math.log((14 / 400) ** 2 / (2 * math.pi))
    log_p = np.logaddexp.reduce(logits @ x.numpy().T - log_rest[:, None]) + node
    found = importance(vae, x, 5000)
    values = found.log_likelihood, found.monte_carlo_error
    yield estimated("mean log p(x), IS, K = 5000", torch.from_numpy(log_p), *values)
    found = importance(vae, ALL_IMAGES, 200)
    p = found.log_likelihood.exp()
    limit = STANDARD_ERRORS * (p * found.monte_carlo_error).norm().item()
    yield Row("sum of p(x) over 2^12 images, IS, K = 200", 1.0, p.sum().item(), limit)


def sums(images: np.ndarray) -> Iterator[Row]:
    """Values that drift, in the shares of three ranks and weights below what float64 holds."""
    values = np.random.default_rng(0).normal(-105, 5, 10_000) + np.linspace(0, 3, 10_000)
    shares = [values[rank_slice(10_000, rank, 3)] for rank in range(3)]
    exact, found = math.fsum(values) / 10_000, mean_of("any", np.concatenate(shares)).value
    yield Row("mean of 10,000 values in 3 shares", exact, found)
    log_weights = 20 * noise(1000, 5) - 500
    direct = np.logaddexp.reduce(log_weights.numpy()) - math.log(1000)
    yield largest("log mean weight", direct, ImportanceWeights(log_weights).log_likelihood)


def normalisation(images: np.ndarray) -> Iterator[Row]:
    """The density of one pixel, summed over its levels or integrated by the trapezoid rule."""
    levels, unit = torch.arange(17.0).double(), torch.linspace(0, 1, 100_001).double()
    for likelihood, x in (
        (DiscretisedLogistic(16, 0.1), levels),
        (Categorical(16), levels),
        (ContinuousBernoulli(), unit),
        (Gaussian(0.1), 4 * unit - 2),
    ):
        outputs = 0.7 * noise(likelihood.outputs_per_pixel).expand(len(x), -1)
        p = likelihood.double().log_prob(outputs, x[:, None]).exp()
        total = p.sum() if likelihood.discrete else torch.trapezoid(p, x)
        name = f"{type(likelihood).__name__} pixel, total probability"
        yield Row(name, 1.0, total.item(), 1e-8)


def bits_per_dim(images: np.ndarray) -> Iterator[Row]:
    """Pixels that are fair coins have one bit each."""
    log_p = Bernoulli().log_prob(torch.zeros_like(ALL_IMAGES), ALL_IMAGES).numpy()
    columns = {field.name: log_p for field in fields(PerImage) if field.default is MISSING}
    measured = PerImage(**{**columns, "log_means": np.stack([log_p] * 2, 1), "samples": 2})  # type: ignore[arg-type]
    summary = summarise(measured, Baselines(None, None, log_p), PIXELS, True, 0.01)
    found = next(quantity for quantity in summary if quantity.name == "bits_per_dim")
    yield Row("bits/dim of fair coins", 1.0, found.value)
