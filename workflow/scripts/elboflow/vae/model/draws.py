"""Samples of z with their log-densities, and how these are differentiated.

pathwise: the total derivative, through z and through the densities' own parameters.
sticking_the_landing: log q(z | x) is differentiated through z alone. The rest, the score, has
    mean 0 in the ELBO. Roeder et al., NIPS 2017, arXiv:1703.09194.
doubly_reparametrised: the same for the importance-weighted bound, where the score has another
    mean: what reaches the encoder through z is weighed once more. Tucker et al., ICLR 2019,
    arXiv:1810.04152.

Those of a discrete z are in vae.training.objectives.
"""

from collections.abc import Callable
from dataclasses import dataclass

import torch
from torch import Tensor

from elboflow.vae.model.model import Model
from elboflow.vae.model.posterior import Posterior
from elboflow.vae.model.prior import Prior

IN_CACHE = 1 << 19  # pixels decoded at once on a CPU: 2 MB in float32


@dataclass(frozen=True)
class Draws:
    """q(z | x) and the log-densities of K draws from it, each of shape (K, B), in nats."""

    posterior: Posterior
    prior: Prior
    log_likelihood: Tensor
    log_prior: Tensor
    log_posterior: Tensor

    @property
    def log_weights(self) -> Tensor:
        """log w = log p(x, z) - log q(z | x), shape (K, B)."""
        return self.log_likelihood + self.log_prior - self.log_posterior

    @property
    def analytic_rate(self) -> Tensor | None:
        """KL(q(z | x) || p(z)) in closed form, shape (B,); None where there is none."""
        return self.posterior.kl() if self.prior.closed_form_kl else None

    @property
    def sampled_rates(self) -> Tensor:
        """log q(z | x) - log p(z), whose mean over draws is that KL, shape (K, B)."""
        return self.log_posterior - self.log_prior


def log_likelihood(vae: Model, x: Tensor, z: Tensor) -> Tensor:
    """log p(x | z) in nats, of images (B, D) and z of shape (K, B, L): shape (K, B)."""
    if torch.is_grad_enabled() or z.device.type != "cpu" or vae.latent_dim == 0:
        return vae.likelihood.log_prob(vae.decode(z), x)
    pieces = z.tensor_split(-(-len(z) * x.numel() // IN_CACHE))
    return torch.cat([vae.likelihood.log_prob(vae.decode(piece), x) for piece in pieces])


def log_joint(vae: Model, x: Tensor, z: Tensor) -> Tensor:
    """log p(x, z) in nats, of images (B, D) and z of shape (K, B, L): shape (K, B)."""
    return vae.prior.log_prob(z) + log_likelihood(vae, x, z)


def draw(
    vae: Model,
    x: Tensor,
    epsilon: Tensor,
    posterior: Posterior | None = None,
    gradient: str = "pathwise",
) -> Draws:
    """Draw z from q(z | x) and weigh it.

    Args:
        x: images of shape (B, D).
        epsilon: standard normal noise of shape (K, B, L).
        posterior: q(z | x), if it has been computed already.
        gradient: how the log-densities are differentiated, see above; no value depends on it.
    """
    posterior = posterior or vae.encode(x)
    z, log_posterior = posterior.sample(epsilon)
    if gradient != "pathwise":
        log_posterior = posterior.detach().log_prob(z)
    draws = Draws(
        posterior,
        vae.prior,
        log_likelihood(vae, x, z),
        vae.prior.log_prob(z),
        log_posterior,
    )
    if gradient == "doubly_reparametrised" and z.requires_grad:
        z.register_hook(_weighed(draws.log_weights.detach().softmax(0)))
    return draws


def _weighed(weights: Tensor) -> Callable[[Tensor], Tensor]:
    """Multiplies a gradient with respect to z, (K, B, L), by normalised weights (K, B)."""
    return lambda gradient: weights.unsqueeze(-1) * gradient
