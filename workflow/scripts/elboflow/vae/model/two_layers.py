"""Two stochastic layers: p(x, z) = p(z2) p(z1 | z2) p(x | z1), q(z | x) = q(z1 | x) q(z2 | z1).

Burda et al., Importance weighted autoencoders, arXiv:1509.00519. All conditionals are
diagonal Gaussians; z holds the numbers of z1, and then those of z2.
"""

from collections.abc import Callable
from dataclasses import dataclass, replace

import torch
from torch import Tensor, nn

from elboflow.vae.choices import POSTERIORS, PRIORS
from elboflow.vae.model.gaussian import Gaussian, standard_normal_log_prob
from elboflow.vae.model.mean_of_draws import mean_of_draws
from elboflow.vae.model.mlp import mlp
from elboflow.vae.model.posterior import Head, Posterior
from elboflow.vae.model.prior import Prior
from elboflow.vae.spec import SpecError


class Conditional(nn.Module):
    """A diagonal Gaussian whose parameters are a network's outputs."""

    def __init__(self, inputs: int, hidden: list[int], outputs: int, activation: str) -> None:
        super().__init__()
        self.hidden = mlp([inputs, *hidden], activation)
        width = hidden[-1] if hidden else inputs
        self.mean, self.log_sd = nn.Linear(width, outputs), nn.Linear(width, outputs)

    def forward(self, given: Tensor) -> Gaussian:
        features = self.hidden(given)
        return Gaussian(self.mean(features), self.log_sd(features))


@dataclass(frozen=True)
class TwoLayers(Posterior):
    """q(z | x) of a batch: q(z1 | x), and the network that gives q(z2 | z1)."""

    first: Gaussian
    second: Callable[[Tensor], Gaussian]
    latent_dim: int  # of both layers

    def sample(self, epsilon: Tensor) -> tuple[Tensor, Tensor]:
        """Reparametrised draws z from standard normal noise (K, B, L), and log q(z | x), (K, B)."""
        epsilon1, epsilon2 = self._split(epsilon)
        z1, log_first = self.first.sample(epsilon1)
        z2, log_second = self.second(z1).sample(epsilon2)
        return torch.cat([z1, z2], dim=-1), log_first + log_second

    def log_prob(self, z: Tensor) -> Tensor:
        """log q(z | x) in nats, shape (K, B, L) to (K, B)."""
        z1, z2 = self._split(z)
        return self.first.log_prob(z1) + self.second(z1).log_prob(z2)

    def log_prob_of_each(self, z: Tensor) -> Tensor:
        """Log-density of every z under each of the B distributions, (..., L) to (..., B)."""
        z1, z2 = self._split(z)
        return self.first.log_prob_of_each(z1) + self.second(z1).log_prob(z2).unsqueeze(-1)

    def widened(self, factor: float) -> "TwoLayers":
        """`factor` times the standard deviations of z1, and of z2 given z1."""

        def second(z1: Tensor) -> Gaussian:
            return self.second(z1).widened(factor)

        return TwoLayers(self.first.widened(factor), second, self.latent_dim)

    @property
    def mean(self) -> Tensor:
        """E[z | x], shape (B, L), of the second layer approximately."""
        first = self.first.mean
        drawn = mean_of_draws(self.sample, len(first), self.latent_dim, first)
        return torch.cat([first, self._split(drawn)[1]], dim=-1)

    def detach(self) -> "TwoLayers":
        raise SpecError("second_latent_dim: the gradient of two layers is pathwise only")

    def nearer_to_prior(self, kept: float) -> "TwoLayers":
        """Of z1 alone."""
        return replace(self, first=self.first.nearer_to_prior(kept))

    def _split(self, z: Tensor) -> tuple[Tensor, Tensor]:
        size = self.first.mean.shape[-1]
        return z[..., :size], z[..., size:]


class TwoLayerHead(Head):
    """Maps an encoder's features to q(z | x), by a head for z1 and a network from z1 to z2."""

    choice = replace(
        POSTERIORS["gaussian"], closed_form_kl=False, kl_per_dimension=False, searched=False
    )

    def __init__(self, first: nn.Module, second: Conditional, latent_dim: int) -> None:
        super().__init__()
        self.first, self.second, self.latent_dim = first, second, latent_dim

    def forward(self, features: Tensor) -> TwoLayers:
        return TwoLayers(self.first(features), self.second, self.latent_dim)


class TwoLayerPrior(Prior):
    """p(z) = p(z1 | z2) p(z2) with p(z2) = N(0, I)."""

    choice = replace(PRIORS["standard_normal"], closed_form_kl=False)

    def __init__(self, first_dim: int, first: Conditional) -> None:
        super().__init__()
        self.first_dim, self.first = first_dim, first

    def log_prob(self, z: Tensor) -> Tensor:
        """log p(z) in nats, shape (..., L) to (...)."""
        z1, z2 = z[..., : self.first_dim], z[..., self.first_dim :]
        return self.first(z2).log_prob(z1) + standard_normal_log_prob(z2)

    def sample(self, epsilon: Tensor) -> Tensor:
        """Draws of z from standard normal noise of the same shape."""
        epsilon1, z2 = epsilon[..., : self.first_dim], epsilon[..., self.first_dim :]
        return torch.cat([self.first(z2).sample(epsilon1)[0], z2], dim=-1)
