"""Estimates of the ELBO and of log p(x), image by image, with their Monte Carlo errors."""

import math
from collections.abc import Callable, Iterator, Sequence
from dataclasses import dataclass
from functools import cached_property

import torch
from torch import Tensor

from elboflow.vae.measure.blocks import log_block_means
from elboflow.vae.measure.pareto import tail_shape
from elboflow.vae.measure.proposal import proposal
from elboflow.vae.model.draws import draw, log_joint
from elboflow.vae.model.model import Model
from elboflow.vae.model.posterior import Posterior
from elboflow.vae.noise import Purpose, normals, words


def image_noise(
    vae: Model, seed: int, purpose: Purpose, images: Sequence[int]
) -> Callable[[int, int], Tensor]:
    """Noise that is a function of (seed, purpose, image, sample) alone.

    Returns:
        A function of (first, count) that gives standard normal noise of those samples, of shape
        (count, images, L), on the model's device.
    """

    def noise(first: int, count: int) -> Tensor:
        starts = [(image, first) for image in images]
        raw = words(seed, purpose, starts, count, vae.latent_dim, vae.device)
        # Contiguous, so that a layer takes all rows in one product.
        return normals(raw.transpose(0, 1), vae.dtype).contiguous()

    return noise


@dataclass(frozen=True)
class ElboEstimate:
    """Per image, shape (B,), float64, in nats; `monte_carlo_error` is the ELBO's standard error.

    With an analytic rate that is the distortion's as well; else `errors_of_parts` has the errors of
    both, which vary against each other.
    """

    rate: Tensor
    distortion: Tensor
    monte_carlo_error: Tensor
    errors_of_parts: dict[str, Tensor]

    @property
    def elbo(self) -> Tensor:
        return -self.distortion - self.rate


def estimate_elbo(
    vae: Model,
    x: Tensor,
    posterior: Posterior,
    noise: Callable[[int, int], Tensor],
    samples: int,
    chunk: int,
) -> ElboEstimate:
    """The ELBO from `samples` draws, with the analytic KL where there is one.

    Args:
        x: images (B, D).
        noise: gives the noise of samples first .. first + count - 1, shape (count, B, L).
        chunk: samples decoded at once.
    """
    drawn = [
        draw(vae, x, noise(first, count), posterior) for first, count in chunks(samples, chunk)
    ]
    log_likelihood = torch.cat([draws.log_likelihood.double() for draws in drawn])
    analytic = drawn[0].analytic_rate
    if analytic is not None:
        rate, error = analytic.double(), standard_error(log_likelihood)
        return ElboEstimate(rate, -log_likelihood.mean(0), error, {})
    rates = torch.cat([draws.sampled_rates.double() for draws in drawn])
    parts = {
        "rate_monte_carlo_error": standard_error(rates),
        "distortion_monte_carlo_error": standard_error(log_likelihood),
    }
    error = standard_error(log_likelihood - rates)
    return ElboEstimate(rates.mean(0), -log_likelihood.mean(0), error, parts)


def standard_error(draws: Tensor) -> Tensor:
    """Of the mean over draws, (K, B) to (B,); nan for one draw."""
    if len(draws) < 2:
        return torch.full_like(draws[0], torch.nan)
    return draws.std(0, correction=1) / len(draws) ** 0.5


@dataclass(frozen=True)
class ImportanceWeights:
    """All log weights of B images, in nats, float64, shape (K, B), and what they tell.

    They take 8 bytes for each sample and image. Summed chunk by chunk as they come they would take
    less, and a tenth of the evaluation's time.
    """

    log_weights: Tensor

    @property
    def log_likelihood(self) -> Tensor:
        """log (1/K) sum_k w_k: a stochastic lower bound on log p(x), in nats, shape (B,).

        Burda et al., arXiv:1509.00519, equation 8.
        """
        return self.log_weights.logsumexp(0) - math.log(len(self.log_weights))

    @cached_property
    def normalised(self) -> Tensor:
        """Weights of sum 1, shape (K, B)."""
        return self.log_weights.softmax(0)

    @property
    def ess(self) -> Tensor:
        """Effective sample size (sum w)^2 / sum w^2, between 1 and K, shape (B,)."""
        return 1 / self.normalised.square().sum(0)

    @property
    def largest_weight(self) -> Tensor:
        """The largest normalised weight, shape (B,): near 1, the estimate rests on one sample."""
        return self.normalised.max(0).values

    @property
    def pareto_k(self) -> Tensor:
        """Shape of the weights' tail, shape (B,): see pareto.py."""
        return tail_shape(self.log_weights)

    @property
    def log_block_means(self) -> Tensor:
        """log p(x) as each block of samples estimates it, in nats, shape (B, blocks)."""
        return log_block_means(self.log_weights)

    @property
    def monte_carlo_error(self) -> Tensor:
        """Standard error of log_likelihood by the delta method, in nats, shape (B,).

        sd(w) / (sqrt(K) mean(w)) = sqrt((K / ESS - 1) / (K - 1)); not defined (nan) for K = 1. It
        cannot exceed 1, and knows of no weight that was not drawn: bound_curve.py does better.
        """
        samples = len(self.log_weights)
        return ((samples / self.ess - 1).clamp(min=0) / (samples - 1)).sqrt()


def estimate_log_likelihood(
    vae: Model,
    x: Tensor,
    posterior: Posterior,
    noise: Callable[[int, int], Tensor],
    samples: int,
    chunk: int,
) -> ImportanceWeights:
    """Importance sampling of log p(x), from q(z | x) or a mixture around it: see proposal.py.

    Args: those of estimate_elbo.
    """
    log_weights = []
    drawn_from = proposal(vae, posterior, noise, samples)
    for first, count in chunks(samples, chunk):
        z, log_proposal = drawn_from.sample(first, noise(first, count))
        log_weights.append((log_joint(vae, x, z) - log_proposal).double())
    return ImportanceWeights(torch.cat(log_weights))


def chunks(total: int, size: int) -> Iterator[tuple[int, int]]:
    """Split 0 .. total - 1 into (first, count) pieces of at most `size`."""
    for first in range(0, total, size):
        yield first, min(size, total - first)
