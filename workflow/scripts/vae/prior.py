"""Priors p(z)."""

import math

import torch
from torch import Tensor, nn

from vae.spec import SpecError


class StandardNormal(nn.Module):
    """p(z) = N(0, I)."""

    def log_prob(self, z: Tensor) -> Tensor:
        """log p(z) in nats, shape (..., L) to (...)."""
        return -0.5 * (z.square() + math.log(2 * math.pi)).sum(-1)

    def sample(self, epsilon: Tensor) -> Tensor:
        """Draws of z from standard normal noise of the same shape."""
        return epsilon


PRIORS = {"standard_normal": StandardNormal}


def make_prior(name: str) -> StandardNormal:
    """The prior of that name in the specification."""
    if name not in PRIORS:
        raise SpecError(f"prior: {name!r} is unknown, choose from {', '.join(PRIORS)}")
    return PRIORS[name]()


def standard_normal_kl(mean: Tensor, log_sd: Tensor) -> Tensor:
    """KL(N(mean, sd^2) || N(0, 1)) per dimension, in nats, of the arguments' shape.

    Kingma and Welling, Auto-Encoding Variational Bayes, appendix B, arXiv:1312.6114.
    """
    return 0.5 * (mean.square() + torch.exp(2 * log_sd) - 1) - log_sd
