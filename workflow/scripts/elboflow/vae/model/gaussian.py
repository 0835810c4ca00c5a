"""Gaussian distributions of z, one for each image (or component) of a batch.

B = images, K = samples, L = latent dimensions.
"""

import math
from dataclasses import dataclass
from functools import cached_property

import torch
from torch import Tensor

from elboflow.vae.model.posterior import Posterior

LOG_2_PI = math.log(2 * math.pi)


def standard_normal_log_prob(z: Tensor) -> Tensor:
    """log N(z; 0, I) in nats, shape (..., L) to (...)."""
    return -0.5 * (z.square().sum(-1) + z.shape[-1] * LOG_2_PI)


def standard_normal_kl(mean: Tensor, log_sd: Tensor) -> Tensor:
    """KL(N(mean, sd^2) || N(0, 1)) per dimension, in nats, of the arguments' shape.

    Kingma and Welling, Auto-Encoding Variational Bayes, appendix B, arXiv:1312.6114.
    """
    return 0.5 * (mean.square() + torch.exp(2 * log_sd) - 1) - log_sd


@dataclass(frozen=True)
class Gaussian(Posterior):
    """N(mean, diag(sd^2)); mean and log_sd have shape (B, L)."""

    mean: Tensor
    log_sd: Tensor

    def sample(self, epsilon: Tensor) -> tuple[Tensor, Tensor]:
        """Reparametrised draws z from standard normal noise (K, B, L), and log q(z | x), (K, B)."""
        z = self.mean + self.log_sd.exp() * epsilon
        return z, self.log_prob(z)

    def log_prob(self, z: Tensor) -> Tensor:
        """log q(z | x) in nats, shape (..., B, L) to (..., B)."""
        standardised = (z - self.mean) * (-self.log_sd).exp()
        return standard_normal_log_prob(standardised) - self.log_sd.sum(-1)

    def log_prob_of_each(self, z: Tensor) -> Tensor:
        """Log-density of every z under each of the B distributions, (..., L) to (..., B).

        The square is multiplied out, so that two matrix products do it: in float64, where what
        cancels is below 1e-6 nats for any sd down to 1e-4 or so.
        """
        mean, log_sd, wide = self.mean.double(), self.log_sd.double(), z.double()
        precision = (-2 * log_sd).exp()
        constant = (mean.square() * precision + 2 * log_sd + LOG_2_PI).sum(-1)
        square = wide.square() @ precision.T - 2 * wide @ (mean * precision).T
        return (-0.5 * (square + constant)).to(z.dtype)

    def widened(self, factor: float) -> "Gaussian":
        """The same means, and `factor` times the standard deviations."""
        return Gaussian(self.mean, self.log_sd + math.log(factor))

    def kl(self) -> Tensor:
        """KL(q(z | x) || N(0, I)) in nats, shape (B,)."""
        return self.kl_per_dimension().sum(-1)

    def kl_per_dimension(self) -> Tensor:
        """KL(q(z_l | x) || N(0, 1)) in nats, shape (B, L)."""
        return standard_normal_kl(self.mean, self.log_sd)

    def detach(self) -> "Gaussian":
        """The same distribution as a constant: no gradient reaches its parameters."""
        return Gaussian(self.mean.detach(), self.log_sd.detach())

    def select(self, rows: Tensor) -> "Gaussian":
        """The distributions of these rows of the batch, any shape (...) of indices."""
        return Gaussian(self.mean[rows], self.log_sd[rows])

    def nearer_to_prior(self, kept: float) -> "Gaussian":
        log_sd = 0.5 * (kept**2 * (2 * self.log_sd).exp() + 1 - kept**2).log()
        return Gaussian(kept * self.mean, log_sd)

    def offsets(self) -> list[Tensor]:
        """Of the mean in sd, and of log sd."""
        return [torch.zeros_like(self.mean), torch.zeros_like(self.mean)]

    def at(self, offsets: list[Tensor]) -> "Gaussian":
        shift, log_scale = offsets
        return Gaussian(self.mean + self.log_sd.exp() * shift, self.log_sd + log_scale)


@dataclass(frozen=True)
class FullCovariance(Posterior):
    """N(mean, factor factor'); mean (B, L), factor (B, L, L) lower triangular, diagonal > 0."""

    mean: Tensor
    factor: Tensor

    @cached_property
    def log_determinant(self) -> Tensor:
        """log |factor|, shape (B,)."""
        return self.factor.diagonal(dim1=-2, dim2=-1).log().sum(-1)

    def sample(self, epsilon: Tensor) -> tuple[Tensor, Tensor]:
        """Reparametrised draws z from standard normal noise (K, B, L), and log q(z | x), (K, B)."""
        # Not a matrix product, which tf32 would round: z and its density must fit each other.
        z = self.mean + (self.factor * epsilon.unsqueeze(-2)).sum(-1)
        return z, standard_normal_log_prob(epsilon) - self.log_determinant

    def log_prob(self, z: Tensor) -> Tensor:
        """log q(z | x) in nats, shape (..., B, L) to (..., B)."""
        centred = z - self.mean
        columns = centred.reshape(-1, *self.mean.shape).permute(1, 2, 0)  # (B, L, K)
        solved = torch.linalg.solve_triangular(self.factor, columns, upper=False)
        standardised = solved.permute(2, 0, 1).reshape(centred.shape)
        return standard_normal_log_prob(standardised) - self.log_determinant

    def log_prob_of_each(self, z: Tensor) -> Tensor:
        """Log-density of every z under each of the B distributions, (..., L) to (..., B)."""
        return self.log_prob(z.unsqueeze(-2))

    def widened(self, factor: float) -> "FullCovariance":
        """The same means, and `factor` times the standard deviations."""
        return FullCovariance(self.mean, factor * self.factor)

    def kl(self) -> Tensor:
        """KL(q(z | x) || N(0, I)) in nats, shape (B,).

        (tr(covariance) + mean' mean - L) / 2 - log |factor|.
        """
        trace = self.factor.square().sum((-2, -1))
        excess = trace + self.mean.square().sum(-1) - self.mean.shape[-1]
        return 0.5 * excess - self.log_determinant

    def detach(self) -> "FullCovariance":
        """The same distribution as a constant: no gradient reaches its parameters."""
        return FullCovariance(self.mean.detach(), self.factor.detach())

    def select(self, rows: Tensor) -> "FullCovariance":
        """The distributions of these rows of the batch, any shape (...) of indices."""
        return FullCovariance(self.mean[rows], self.factor[rows])

    def nearer_to_prior(self, kept: float) -> "FullCovariance":
        covariance = kept**2 * self.factor @ self.factor.mT
        covariance.diagonal(dim1=-2, dim2=-1).add_(1 - kept**2)
        return FullCovariance(kept * self.mean, torch.linalg.cholesky(covariance))

    def offsets(self) -> list[Tensor]:
        """Of a triangular map of epsilon before this one: shift, log diagonal, what lies below."""
        shift = torch.zeros_like(self.mean)
        return [shift, torch.zeros_like(shift), torch.zeros_like(self.factor)]

    def at(self, offsets: list[Tensor]) -> "FullCovariance":
        shift, log_scale, below = offsets
        shape = torch.diag_embed(log_scale.exp()) + below.tril(-1)
        mean = self.mean + (self.factor * shift.unsqueeze(-2)).sum(-1)
        return FullCovariance(mean, (self.factor.unsqueeze(-1) * shape.unsqueeze(-3)).sum(-2))
