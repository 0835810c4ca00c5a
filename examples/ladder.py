"""A ladder of two levels: z2, and z1 given z2, whose q is joined to p (arXiv:1602.02282)."""

import math

import torch
from torch import Tensor, nn
from torch.distributions import Bernoulli, Distribution, Independent, Normal

from elboflow import Groups


def perceptron(inputs: int, hidden: int, outputs: int) -> nn.Sequential:
    return nn.Sequential(nn.Linear(inputs, hidden), nn.ELU(), nn.Linear(hidden, outputs))


def normal(numbers: Tensor) -> Independent:
    mean, log_scale = numbers.chunk(2, dim=-1)
    return Independent(Normal(mean, log_scale.exp()), 1)


def joined(p: Normal, q: Normal) -> Independent:
    """The product of two Gaussians: their means, weighed by their precisions."""
    of_p, of_q = p.scale.pow(-2), q.scale.pow(-2)
    mean = (p.mean * of_p + q.mean * of_q) / (of_p + of_q)
    return Independent(Normal(mean, (of_p + of_q).rsqrt()), 1)


class Ladder(nn.Module):
    def __init__(self, shape: list[int], z1: int = 10, z2: int = 5, width: int = 200) -> None:
        super().__init__()
        self.shape, self.z2_dim = shape, z2
        self.up1 = nn.Sequential(nn.Linear(math.prod(shape), width), nn.ELU())
        self.q1, self.q2 = nn.Linear(width, 2 * z1), perceptron(width, width, 2 * z2)
        self.p1 = perceptron(z2, width, 2 * z1)
        self.decoder = perceptron(z1, width, math.prod(shape))
        self.register_buffer("zeros", torch.zeros(z2))

    def prior(self) -> Groups:
        z2 = Independent(Normal(self.zeros, self.zeros + 1), 1)
        return Groups(z2=z2, z1=lambda z2: normal(self.p1(z2)))

    def posterior(self, x: Tensor) -> Groups:
        features = self.up1(x.flatten(1))
        seen = normal(self.q1(features)).base_dist
        return Groups(
            z2=normal(self.q2(features)),
            z1=lambda z2: joined(normal(self.p1(z2)).base_dist, seen),
        )

    def likelihood(self, z: Tensor) -> Distribution:
        z1 = z[..., self.z2_dim :]  # z holds z2 and z1, in the order of the prior's groups
        return Independent(Bernoulli(logits=self.decoder(z1).unflatten(-1, self.shape)), 3)
