"""A discrete z: one variable of L values, as a one-hot vector of L numbers.

There are few enough values to sum over them all, so that ELBO, its gradient and log p(x) are exact;
draws, hard and relaxed, are for estimators of that gradient.
"""

import math
from dataclasses import dataclass

import torch
from torch import Tensor, nn

from elboflow.vae.model.posterior import Head, Posterior, posteriors
from elboflow.vae.model.prior import Prior, priors
from elboflow.vae.spec import TrainingSpec


def one_hot(probabilities: Tensor, epsilon: Tensor) -> Tensor:
    """A draw for each row of standard normal noise (..., L), whose first number picks the value.

    Args:
        probabilities: of the L values, any shape (..., L) that broadcasts to the noise's.
    """
    # cumsum on a GPU may vary from run to run; a triangular matrix of ones does not.
    count = probabilities.shape[-1]
    below = torch.ones(count, count, dtype=torch.float64, device=epsilon.device).tril()
    ends = probabilities.double() @ below.T
    u = torch.special.ndtr(epsilon[..., :1].double()).clamp(min=1e-300) * ends[..., -1:]
    chosen = (u > ends).sum(-1, keepdim=True).clamp(max=count - 1)
    return (chosen == torch.arange(count, device=epsilon.device)).to(epsilon.dtype)


def gumbel(epsilon: Tensor) -> Tensor:
    """Gumbel noise -log(-log u) in float64 from standard normal noise, u = Phi(epsilon).

    Finite for every epsilon: beyond 37, which no draw reaches, log u would round to 0.
    """
    return -torch.log(-torch.special.log_ndtr(epsilon.double().clamp(max=37)))


@dataclass(frozen=True)
class Categorical(Posterior):
    """q(z | x) of a batch; log_probabilities has shape (B, L)."""

    log_probabilities: Tensor

    @property
    def mean(self) -> Tensor:
        """E[z | x], the probabilities, shape (B, L)."""
        return self.log_probabilities.exp()

    def sample(self, epsilon: Tensor) -> tuple[Tensor, Tensor]:
        """Draws z from noise (K, B, L), and log q(z | x), (K, B). No gradient goes through z."""
        z = one_hot(self.mean.detach(), epsilon)
        return z, self.log_prob(z)

    def relax(self, epsilon: Tensor, temperature: float) -> Tensor:
        """Draws (K, B, L) that are differentiable: positive numbers of sum 1, not one-hot.

        z = softmax((log q + Gumbel noise) / temperature). The place of its largest number is a draw
        of q, and at a temperature near 0 that number is 1. Jang et al., arXiv:1611.01144,
        equations 1 and 2; Maddison et al., arXiv:1611.00712.
        """
        noisy = self.log_probabilities + gumbel(epsilon)
        return (noisy / temperature).softmax(-1).to(epsilon.dtype)

    def log_prob(self, z: Tensor) -> Tensor:
        """log q(z | x) in nats, shape (..., B, L) to (..., B)."""
        return (z * self.log_probabilities).sum(-1)

    def log_prob_of_each(self, z: Tensor) -> Tensor:
        """Log-probability of every z under each of the B distributions, (..., L) to (..., B)."""
        return z @ self.log_probabilities.T

    def kl(self) -> Tensor:
        """KL(q(z | x) || the uniform distribution) = log L - entropy, in nats, shape (B,)."""
        negative_entropy = (self.mean * self.log_probabilities).sum(-1)
        return math.log(self.log_probabilities.shape[-1]) + negative_entropy

    def detach(self) -> "Categorical":
        """The same distribution as a constant: no gradient reaches its parameters."""
        return Categorical(self.log_probabilities.detach())

    def nearer_to_prior(self, kept: float) -> "Categorical":
        """The mixture with the uniform distribution, of weight 1 - kept^2."""
        values = self.log_probabilities.shape[-1]
        mixed = kept**2 * self.log_probabilities.exp() + (1 - kept**2) / values
        return Categorical(mixed.log())


@posteriors("categorical")
class CategoricalHead(Head):
    """Maps an encoder's features to the probabilities of the L values."""

    def __init__(self, features: int, values: int) -> None:
        super().__init__()
        self.logits = nn.Linear(features, values)

    @classmethod
    def of(cls, spec: TrainingSpec, features: int) -> "CategoricalHead":
        return cls(features, spec.latent_dim)

    def forward(self, features: Tensor) -> Categorical:
        return Categorical(self.logits(features).log_softmax(-1))


@priors("uniform")
class Uniform(Prior):
    """p(z) = 1 / L for each of L values."""

    def log_prob(self, z: Tensor) -> Tensor:
        """log p(z) in nats, shape (..., L) to (...)."""
        return z.new_full(z.shape[:-1], -math.log(z.shape[-1]))

    def sample(self, epsilon: Tensor) -> Tensor:
        """One-hot draws from standard normal noise of the same shape."""
        return one_hot(torch.ones_like(epsilon[..., :1]).expand_as(epsilon), epsilon)
