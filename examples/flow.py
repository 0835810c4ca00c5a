"""A normalising flow of affine couplings (Real NVP, arXiv:1605.08803) over flattened images.

log p(x) is exact: there is no latent variable. Each coupling may scale a number by e^limit at most,
so that the density is bounded: grey levels are discrete, and a density of them has else no largest
value.
"""

import math

import torch
from torch import Tensor, nn
from torch.distributions import Normal


class Coupling(nn.Module):
    """Scales and shifts the numbers outside of `kept` by functions of those in it."""

    def __init__(self, kept: Tensor, width: int, limit: float) -> None:
        super().__init__()
        self.register_buffer("kept", kept)
        self.limit = limit
        self.layers = nn.Sequential(
            nn.Linear(len(kept), width), nn.ELU(), nn.Linear(width, 2 * len(kept))
        )

    def scale_and_shift(self, x: Tensor) -> tuple[Tensor, Tensor]:
        log_scale, shift = (self.layers(x * self.kept) * (1 - self.kept).repeat(2)).chunk(2, dim=1)
        return self.limit * torch.tanh(log_scale), shift

    def forward(self, x: Tensor) -> tuple[Tensor, Tensor]:
        """To noise, with the log-determinant of the Jacobian."""
        log_scale, shift = self.scale_and_shift(x)
        return x * log_scale.exp() + shift, log_scale.sum(1)

    def inverse(self, noise: Tensor) -> Tensor:
        log_scale, shift = self.scale_and_shift(noise)  # what is kept is the same on both sides
        return (noise - shift) * (-log_scale).exp()


class CouplingFlow(nn.Module):
    def __init__(
        self, shape: list[int], couplings: int = 6, width: int = 200, limit: float = 1.0
    ) -> None:
        super().__init__()
        self.shape = shape
        even = torch.arange(math.prod(shape)) % 2
        self.couplings = nn.ModuleList(
            Coupling((even if i % 2 else 1 - even).float(), width, limit) for i in range(couplings)
        )

    def log_prob(self, x: Tensor) -> Tensor:
        noise, log_determinant = x.flatten(1), x.new_zeros(len(x))
        for coupling in self.couplings:
            noise, more = coupling(noise)
            log_determinant = log_determinant + more
        return Normal(0.0, 1.0).log_prob(noise).sum(1) + log_determinant

    def sample(self, count: int) -> Tensor:
        x = torch.randn(count, math.prod(self.shape)).to(self.couplings[0].kept)
        for coupling in reversed(self.couplings):
            x = coupling.inverse(x)
        return x.unflatten(1, self.shape)
