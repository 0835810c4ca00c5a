"""Draws from torch distributions that are functions of standard normal noise.

So that the same noise gives the same draws however many ranks share the work. Shapes: noise
(..., L) with the batch's dimension second to last, as the draws.
"""

import hashlib
from collections.abc import Iterator
from contextlib import contextmanager

import torch
from torch import Tensor
from torch.distributions import (
    Distribution,
    Independent,
    LowRankMultivariateNormal,
    MultivariateNormal,
    Normal,
    TransformedDistribution,
)


def is_injected(distribution: Distribution) -> bool:
    """Whether its draws are smooth functions of noise, image by image; else noise is a seed."""
    if isinstance(distribution, Independent | TransformedDistribution):
        return is_injected(distribution.base_dist)
    known = (Normal, MultivariateNormal, LowRankMultivariateNormal)
    return isinstance(distribution, known) or (distribution.has_rsample and _has_icdf(distribution))


def draw(distribution: Distribution, epsilon: Tensor) -> Tensor:
    """Reparametrised draws where the distribution has them, of the noise's shape."""
    if not is_injected(distribution):
        return _seeded(distribution, epsilon)
    return _injected(distribution, epsilon)


def _injected(distribution: Distribution, epsilon: Tensor) -> Tensor:
    if isinstance(distribution, Independent):
        return _injected(distribution.base_dist, epsilon)
    if isinstance(distribution, TransformedDistribution):
        z = _injected(distribution.base_dist, epsilon)
        for transform in distribution.transforms:
            z = transform(z)
        return z
    if isinstance(distribution, Normal):
        return distribution.loc + distribution.scale * epsilon
    if isinstance(distribution, MultivariateNormal | LowRankMultivariateNormal):
        # Not a matrix product, which tf32 would round: z and its density must fit each other.
        return distribution.mean + (factor(distribution) * epsilon.unsqueeze(-2)).sum(-1)
    # float64: near 1, float32 would round the largest draws to infinity.
    return distribution.icdf(torch.special.ndtr(epsilon.double())).to(epsilon.dtype)


def factor(distribution: MultivariateNormal | LowRankMultivariateNormal) -> Tensor:
    """Lower triangular, with covariance = factor factor', shape (..., L, L)."""
    if isinstance(distribution, MultivariateNormal):
        return distribution.scale_tril
    return torch.linalg.cholesky(distribution.covariance_matrix)


def _has_icdf(distribution: Distribution) -> bool:
    return type(distribution).icdf is not Distribution.icdf


def _seeded(distribution: Distribution, epsilon: Tensor) -> Tensor:
    draws, images = epsilon.shape[:-2], epsilon.shape[-2]
    if not distribution.batch_shape:
        distribution = distribution.expand(torch.Size([images]))
    return seeded(distribution, epsilon.flatten(0, -3)[0] if draws else epsilon, draws)


def seeded(distribution: Distribution, noise: Tensor, draws: torch.Size) -> Tensor:
    """Draws (*draws, B, ...) of which each image's come from a generator that its noise seeds.

    A torch distribution can't be cut into rows: for each image all of the batch is drawn, and its
    own row kept.

    Args:
        noise: shape (B, ...).
    """
    sample = distribution.rsample if distribution.has_rsample else distribution.sample
    found = []
    for image, row in enumerate(noise):
        with generator_of(row):
            found.append(sample(draws).select(len(draws), image))
    return torch.stack(found, len(draws)).to(noise.dtype)


@contextmanager
def generator_of(noise: Tensor) -> Iterator[None]:
    """Let torch's generators be seeded by noise, and go on afterwards as if nothing had been."""
    content = noise.detach().double().cpu().numpy().tobytes()
    devices = [noise.device] if noise.device.type == "cuda" else []
    with torch.random.fork_rng(devices=devices):
        torch.manual_seed(int.from_bytes(hashlib.sha256(content).digest()[:7]))
        yield
