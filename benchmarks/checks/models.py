"""Small models in float64, and noise. Shapes: K samples, B images, L latents."""

from types import SimpleNamespace
from typing import Any

import numpy as np
import torch
from torch import Tensor

from elboflow.vae.data import ImageShape
from elboflow.vae.measure.estimate import ImportanceWeights, estimate_log_likelihood, image_noise
from elboflow.vae.model.binary_likelihoods import Bernoulli
from elboflow.vae.model.categorical import Categorical, Uniform
from elboflow.vae.model.linear_gaussian import LinearGaussian
from elboflow.vae.model.networks import VAE
from elboflow.vae.noise import Purpose
from elboflow.vae.spec import TrainingSpec

PIXELS = 12  # of the models that are no digits


def float64(*values: Any) -> Tensor:
    return torch.tensor(values, dtype=torch.float64)


def noise(*shape: int, seed: int = 1) -> Tensor:
    generator = torch.Generator().manual_seed(seed)
    return torch.randn(*shape, dtype=torch.float64, generator=generator)


def make_vae(shape: ImageShape, **changes: Any) -> VAE:
    """A VAE in float64, linear unless it is said."""
    linear = {"latent_dim": 2, "encoder_layers": [], "decoder_layers": [], "precision": "float64"}
    vae = VAE(TrainingSpec(**{**linear, **changes}), shape)
    vae.initialise(1, torch.full((shape.pixels,), 0.4, dtype=torch.float64))
    return vae


@torch.no_grad()
def fill(layer: Any, weight: Any, bias: Any) -> None:
    layer.weight.copy_(torch.as_tensor(weight))
    layer.bias.copy_(torch.as_tensor(bias))


def linear_vae(best: LinearGaussian, shrink: float = 1.0, widen: float = 1.0) -> VAE:
    """A VAE with q(z | x) = N(shrink x mean, widen x variances) of the model's p(z | x)."""
    covariance = best.posterior(best.mean[None])[1]
    to_mean = shrink * covariance @ best.weights.T / best.variance
    changes = {"latent_dim": len(covariance), "likelihood_scale": best.variance**0.5}
    vae = make_vae(ImageShape(8, 8, 1, 16), likelihood="gaussian", **changes)
    fill(vae.output, best.weights, best.mean)
    fill(vae.posterior.mean, to_mean, -to_mean @ best.mean)
    fill(vae.posterior.log_sd, 0.0, 0.5 * np.log(widen * covariance.diagonal()))
    return vae


def tabular(logits: Tensor, log_q: Tensor) -> Any:
    """L equally likely values of z, Bernoulli pixels of logits (L, D), and log q(z | x), (B, L)."""
    return SimpleNamespace(
        latent_dim=len(logits),
        dtype=torch.float64,
        device="cpu",
        prior=Uniform(),
        likelihood=Bernoulli(),
        encode=lambda x: Categorical(log_q),
        decode=lambda z: z @ logits,
    )


def importance(vae: VAE, x: Tensor, samples: int) -> ImportanceWeights:
    epsilon = image_noise(vae, 0, Purpose.IMPORTANCE, range(len(x)))
    return estimate_log_likelihood(vae, x, vae.encode(x), epsilon, samples, chunk=50)
