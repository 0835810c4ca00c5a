"""Exact sums over the values of a discrete z.

B = images, L = values.
"""

import math

import torch
from torch import Tensor

from elboflow.vae.model.model import Model


def log_likelihoods(vae: Model, x: Tensor) -> Tensor:
    """log p(x | z) of each of L values of a discrete z, shape (L, B), in nats."""
    every = torch.eye(vae.latent_dim, dtype=vae.dtype, device=vae.device)
    outputs = vae.decode(every)[:, None]
    return vae.likelihood.log_prob(outputs.expand(-1, len(x), *outputs.shape[2:]), x)


def exact_log_likelihood(vae: Model, x: Tensor) -> Tensor:
    """log p(x) = log sum_z p(z) p(x | z) of a discrete z, in nats, shape (B,)."""
    return log_likelihoods(vae, x).logsumexp(0) - math.log(vae.latent_dim)
