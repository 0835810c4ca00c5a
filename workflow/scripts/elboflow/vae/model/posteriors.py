"""Approximate posteriors q(z | x): an encoder's last layers and what they yield."""

from typing import TYPE_CHECKING, Protocol

import torch
from torch import Tensor, nn

from elboflow.vae.model.categorical import CategoricalHead
from elboflow.vae.model.gaussian import FullCovariance, Gaussian
from elboflow.vae.model.two_layers import Conditional, TwoLayerHead
from elboflow.vae.spec import SpecError, TrainingSpec

if TYPE_CHECKING:
    from elboflow.vae.model.flow import FlowHead


class Posterior(Protocol):
    """q(z | x) of a batch of B images."""

    @property
    def mean(self) -> Tensor:
        """E[z | x], shape (B, L)."""

    def sample(self, epsilon: Tensor) -> tuple[Tensor, Tensor]:
        """Reparametrised draws z from standard normal noise (K, B, L), and log q(z | x), (K, B)."""

    def log_prob(self, z: Tensor) -> Tensor:
        """log q(z | x) in nats, shape (K, B, L) to (K, B)."""

    def log_prob_of_each(self, z: Tensor) -> Tensor:
        """Log-density of every z under each of the B images' q, shape (..., L) to (..., B)."""

    def kl(self) -> Tensor | None:
        """KL to N(0, I), or to Uniform, in nats, shape (B,); None where there is no closed form."""

    def kl_per_dimension(self) -> Tensor | None:
        """Its terms, shape (B, L); None where it is no sum over dimensions."""

    def detach(self) -> "Posterior":
        """The same distribution as a constant: no gradient reaches its parameters."""


class GaussianHead(nn.Module):
    """Maps an encoder's features to the mean and the log standard deviation of each z_l."""

    def __init__(self, features: int, latent_dim: int) -> None:
        super().__init__()
        self.mean = nn.Linear(features, latent_dim)
        self.log_sd = nn.Linear(features, latent_dim)

    def forward(self, features: Tensor) -> Gaussian:
        return Gaussian(self.mean(features), self.log_sd(features))

    def initialise(self) -> None:
        """Nothing, on top of what all linear layers get."""


class FullCovarianceHead(nn.Module):
    """Maps an encoder's features to the mean and the Cholesky factor of z's covariance.

    The factor's diagonal is exp(log_sd), so that it is positive; what lies below is free.
    """

    below: Tensor  # row and column of each number below the diagonal, shape (2, L (L - 1) / 2)

    def __init__(self, features: int, latent_dim: int) -> None:
        super().__init__()
        self.mean = nn.Linear(features, latent_dim)
        self.log_sd = nn.Linear(features, latent_dim)
        below = torch.tril_indices(latent_dim, latent_dim, -1)
        self.lower = nn.Linear(features, below.shape[1])
        self.register_buffer("below", below, persistent=False)

    def forward(self, features: Tensor) -> FullCovariance:
        factor = torch.diag_embed(self.log_sd(features).exp())
        rows, columns = self.below
        factor[..., rows, columns] = self.lower(features)
        return FullCovariance(self.mean(features), factor)

    def initialise(self) -> None:
        """Begin with independent dimensions, as the Gaussian of diagonal covariance does."""
        self.lower.weight.zero_()


def make_posterior_head(
    spec: TrainingSpec, features: int
) -> "GaussianHead | FullCovarianceHead | FlowHead | CategoricalHead | TwoLayerHead":
    """Maps an encoder's features, shape (B, features), to the posterior of the specification."""
    if spec.posterior == "gaussian" and spec.second_latent_dim:
        return _two_layers(spec, features, spec.second_latent_dim)
    if spec.posterior == "gaussian":
        return GaussianHead(features, spec.latent_dim)
    if spec.posterior == "full_covariance":
        return FullCovarianceHead(features, spec.latent_dim)
    if spec.posterior == "flow":
        # Imported here: zuko takes a second, and switches torch's checks of distributions off.
        from elboflow.vae.model.flow import FlowHead

        gaussian = GaussianHead(features, spec.latent_dim)
        transforms, hidden = spec.flow_transforms, spec.flow_hidden
        return FlowHead(gaussian, features, spec.latent_dim, transforms, hidden)
    if spec.posterior == "categorical":
        return CategoricalHead(features, spec.latent_dim)
    known = "gaussian, full_covariance, flow, categorical"
    raise SpecError(f"posterior: {spec.posterior!r} is unknown, choose from {known}")


def _two_layers(spec: TrainingSpec, features: int, second_dim: int) -> TwoLayerHead:
    first_dim = spec.latent_dim
    second = Conditional(first_dim, spec.second_layers, second_dim, spec.activation)
    return TwoLayerHead(GaussianHead(features, first_dim), second, first_dim + second_dim)
