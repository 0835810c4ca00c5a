"""Images that a model generates: z ~ p(z), and x ~ p(x | z) by the inverse of its CDF.

Shapes: B = images, D = pixels, C = outputs for each pixel. Noise is float64, in (0, 1).
"""

from collections.abc import Sequence
from functools import singledispatch

import torch
from torch import Tensor

from elboflow.vae.model.densities import Bernoulli, ContinuousBernoulli, Gaussian, Likelihood
from elboflow.vae.model.level_likelihoods import Categorical, DiscretisedLogistic
from elboflow.vae.model.networks import VAE
from elboflow.vae.noise import Purpose, normals, uniforms, words

FIRST_IMAGE = 1 << 32  # the number of the first simulated image, beyond those of any test split


@torch.no_grad()
def simulate(vae: VAE, seed: int, images: Sequence[int]) -> tuple[Tensor, Tensor]:
    """z ~ p(z), shape (B, L), and x ~ p(x | z), shape (B, D): each z is a sample of its p(z | x).

    Args:
        images: their numbers, from FIRST_IMAGE on, which key their noise here and elsewhere.
    """
    latent, pixels = vae.latent_dim, vae.shape.pixels
    starts = [(image, 0) for image in images]
    raw = words(seed, Purpose.AIS_SIMULATION, starts, 1, latent + pixels, vae.device)[:, 0]
    z = vae.prior.sample(normals(raw[:, :latent], vae.dtype))
    x = sample(vae.likelihood, vae.decode(z).double(), uniforms(raw[:, latent:]))
    return z, x.to(vae.dtype)


@singledispatch
def sample(likelihood: Likelihood, outputs: Tensor, uniform: Tensor) -> Tensor:
    """A draw of x from p(x | z), float64, shape (B, D).

    Args:
        outputs: the decoder's, float64, shape (B, D * C).
        uniform: shape (B, D).
    """
    raise NotImplementedError(f"no draws from {type(likelihood).__name__}")


@sample.register
def _(likelihood: Bernoulli, outputs: Tensor, uniform: Tensor) -> Tensor:
    return (uniform < outputs.sigmoid()).double()


@sample.register
def _(likelihood: ContinuousBernoulli, outputs: Tensor, uniform: Tensor) -> Tensor:
    # The CDF is (e^(eta x) - 1) / (e^eta - 1), or x where eta is 0. A draw of eta is 1 minus one
    # of -eta, which keeps the exponential small.
    eta = -outputs.abs().clamp(min=1e-9)
    x = torch.log1p(uniform * torch.expm1(eta)) / eta
    return torch.where(outputs > 0, 1 - x, x)


@sample.register
def _(likelihood: Gaussian, outputs: Tensor, uniform: Tensor) -> Tensor:
    return outputs + likelihood.scale().double() * torch.special.ndtri(uniform)


@sample.register
def _(likelihood: DiscretisedLogistic, outputs: Tensor, uniform: Tensor) -> Tensor:
    logistic = outputs + likelihood.scale().double() * torch.logit(uniform)
    return (logistic * likelihood.levels).round().clamp(0, likelihood.levels)


@sample.register
def _(likelihood: Categorical, outputs: Tensor, uniform: Tensor) -> Tensor:
    shares = outputs.unflatten(-1, (-1, likelihood.levels + 1)).softmax(-1)
    # On the CPU: torch has no deterministic cumsum of floating point numbers on GPUs.
    bounds = shares.cpu().cumsum(-1).to(shares.device)
    passed = (uniform[..., None] > bounds).sum(-1)
    return passed.clamp(max=likelihood.levels).double()  # cumsum may end just below 1
