"""An encoder's last layers whose posterior q(z | x) is Gaussian."""

import torch
from torch import Tensor, nn

from elboflow.vae.model.gaussian import FullCovariance, Gaussian
from elboflow.vae.model.posterior import Head, posteriors
from elboflow.vae.spec import TrainingSpec


@posteriors("gaussian")
class GaussianHead(Head):
    """Maps an encoder's features to the mean and the log standard deviation of each z_l."""

    def __init__(self, features: int, latent_dim: int) -> None:
        super().__init__()
        self.mean = nn.Linear(features, latent_dim)
        self.log_sd = nn.Linear(features, latent_dim)

    @classmethod
    def of(cls, spec: TrainingSpec, features: int) -> "GaussianHead":
        return cls(features, spec.latent_dim)

    def forward(self, features: Tensor) -> Gaussian:
        return Gaussian(self.mean(features), self.log_sd(features))


@posteriors("full_covariance")
class FullCovarianceHead(Head):
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

    @classmethod
    def of(cls, spec: TrainingSpec, features: int) -> "FullCovarianceHead":
        return cls(features, spec.latent_dim)

    def forward(self, features: Tensor) -> FullCovariance:
        factor = torch.diag_embed(self.log_sd(features).exp())
        rows, columns = self.below
        factor[..., rows, columns] = self.lower(features)
        return FullCovariance(self.mean(features), factor)

    def initialise(self) -> None:
        """Begin with independent dimensions, as the Gaussian of diagonal covariance does."""
        self.lower.weight.zero_()
