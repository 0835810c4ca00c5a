"""Training objectives: the ELBO, the beta-ELBO and the importance-weighted bound.

All are lower bounds on log p(x) (the beta-ELBO for beta >= 1) that training maximises.
"""

import math
from dataclasses import dataclass

from torch import Tensor

from vae.networks import VAE
from vae.posterior import Gaussian
from vae.spec import TrainingSpec


@dataclass(frozen=True)
class Bound:
    """Estimates for a batch of images, each of shape (B,), in nats per image."""

    objective: Tensor
    rate: Tensor
    distortion: Tensor

    @property
    def elbo(self) -> Tensor:
        """ELBO = -distortion - rate."""
        return -self.distortion - self.rate


@dataclass(frozen=True)
class Draws:
    """q(z | x) and the log-densities of K draws from it, each of shape (K, B), in nats."""

    posterior: Gaussian
    log_likelihood: Tensor
    log_prior: Tensor
    log_posterior: Tensor

    @property
    def log_weights(self) -> Tensor:
        """log w = log p(x, z) - log q(z | x), shape (K, B)."""
        return self.log_likelihood + self.log_prior - self.log_posterior


def draw(vae: VAE, x: Tensor, epsilon: Tensor, posterior: Gaussian | None = None) -> Draws:
    """Draw z from q(z | x) and weigh it.

    Args:
        x: images of shape (B, D).
        epsilon: standard normal noise of shape (K, B, L).
        posterior: q(z | x), if it has been computed already.
    """
    posterior = posterior or vae.encode(x)
    z, log_posterior = posterior.sample(epsilon)
    return Draws(
        posterior,
        vae.likelihood.log_prob(vae.decode(z), x),
        vae.prior.log_prob(z),
        log_posterior,
    )


def elbo(draws: Draws, kl: str, beta: float = 1.0) -> Bound:
    """-distortion - beta x rate, the rate analytic or from the same draws.

    Kingma and Welling, arXiv:1312.6114, equations 7 (analytic) and 6 (sampled); Higgins et al.,
    beta-VAE, ICLR 2017, equation 4.
    """
    distortion = -draws.log_likelihood.mean(0)
    if kl == "analytic":
        rate = draws.posterior.kl_per_dimension().sum(-1)
    else:
        rate = (draws.log_posterior - draws.log_prior).mean(0)
    return Bound(-distortion - beta * rate, rate, distortion)


def importance_weighted(draws: Draws) -> Bound:
    """L_K = log (1/K) sum_k w_k. Burda et al., arXiv:1509.00519, equation 8."""
    log_weights = draws.log_weights
    sampled = elbo(draws, "sampled")
    bound = log_weights.logsumexp(0) - math.log(log_weights.shape[0])
    return Bound(bound, sampled.rate, sampled.distortion)


def objective(vae: VAE, spec: TrainingSpec, x: Tensor, epsilon: Tensor, beta: float) -> Bound:
    """The objective that the specification names."""
    draws = draw(vae, x, epsilon)
    if spec.objective == "importance_weighted":
        return importance_weighted(draws)
    return elbo(draws, spec.kl, beta)
