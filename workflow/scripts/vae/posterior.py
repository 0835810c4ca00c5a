"""Approximate posteriors q(z | x): an encoder's last layer and the distribution that it yields."""

import math
from dataclasses import dataclass

from torch import Tensor, nn

from vae.prior import standard_normal_kl
from vae.spec import SpecError


@dataclass(frozen=True)
class Gaussian:
    """q(z | x) = N(mean, diag(sd^2)) of a batch of images; mean and log_sd have shape (B, L)."""

    mean: Tensor
    log_sd: Tensor

    def sample(self, epsilon: Tensor) -> tuple[Tensor, Tensor]:
        """Reparametrised draws z from standard normal noise (K, B, L), and log q(z | x), (K, B)."""
        z = self.mean + self.log_sd.exp() * epsilon
        return z, self.log_prob(z)

    def log_prob(self, z: Tensor) -> Tensor:
        """log q(z | x) in nats, shape (K, B, L) to (K, B)."""
        standardised = (z - self.mean) * (-self.log_sd).exp()
        return -(0.5 * standardised.square() + self.log_sd + 0.5 * math.log(2 * math.pi)).sum(-1)

    def kl_per_dimension(self) -> Tensor:
        """KL(q(z_l | x) || N(0, 1)) in nats, shape (B, L)."""
        return standard_normal_kl(self.mean, self.log_sd)


class GaussianHead(nn.Module):
    """Maps an encoder's features to the mean and the log standard deviation of each z_l."""

    def __init__(self, features: int, latent_dim: int) -> None:
        super().__init__()
        self.mean = nn.Linear(features, latent_dim)
        self.log_sd = nn.Linear(features, latent_dim)

    def forward(self, features: Tensor) -> Gaussian:
        return Gaussian(self.mean(features), self.log_sd(features))


POSTERIORS = {"gaussian": GaussianHead}


def make_posterior_head(name: str, features: int, latent_dim: int) -> GaussianHead:
    """The posterior of that name in the specification."""
    if name not in POSTERIORS:
        raise SpecError(f"posterior: {name!r} is unknown, choose from {', '.join(POSTERIORS)}")
    return POSTERIORS[name](features, latent_dim)
