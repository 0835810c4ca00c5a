"""The posterior `flow`: an inverse autoregressive flow, whose layers are those of zuko.

Kingma et al., Improved variational inference with inverse autoregressive flow, NIPS 2016,
arXiv:1606.04934. Drawing and weighing take one pass; the density of a given z takes L, because z
has to be undone dimension by dimension.
"""

from collections.abc import Sequence
from dataclasses import dataclass
from typing import TYPE_CHECKING

import torch
from torch import Tensor, nn

from elboflow.vae.model.gaussian import Gaussian
from elboflow.vae.model.gaussian_heads import GaussianHead
from elboflow.vae.model.mean_of_draws import mean_of_draws
from elboflow.vae.model.posterior import Head, Posterior, posteriors
from elboflow.vae.spec import SpecError, TrainingSpec

if TYPE_CHECKING:
    from zuko.transforms import ComposedTransform


@dataclass(frozen=True)
class Flow(Posterior):
    """q(z | x) of a batch: z = transform(z0) with z0 from a diagonal Gaussian."""

    base: Gaussian
    transform: "ComposedTransform"

    def sample(self, epsilon: Tensor) -> tuple[Tensor, Tensor]:
        """Reparametrised draws z from standard normal noise (K, B, L), and log q(z | x), (K, B)."""
        start, log_prob = self.base.sample(epsilon)
        z, log_determinant = self.transform.call_and_ladj(start)
        return z, log_prob - log_determinant

    def log_prob(self, z: Tensor) -> Tensor:
        """log q(z | x) in nats, shape (K, B, L) to (K, B)."""
        start, log_determinant = self.transform.inv.call_and_ladj(z)
        return self.base.log_prob(start) + log_determinant

    def log_prob_of_each(self, z: Tensor) -> Tensor:
        raise SpecError("posterior: a flow knows the density of another image's z too slowly")

    @property
    def mean(self) -> Tensor:
        """E[z | x], shape (B, L), approximately."""
        images, latent_dim = self.base.mean.shape
        return mean_of_draws(self.sample, images, latent_dim, self.base.mean)

    def detach(self) -> "Flow":
        raise SpecError("posterior: the gradient of a flow is pathwise only")


@posteriors("flow")
class FlowHead(Head):
    """Maps an encoder's features to a Gaussian and to the transforms, which see the features too.

    Args:
        gaussian: maps features to the Gaussian at the start.
        features: how many there are.
        transforms: affine autoregressive transforms, in ascending and descending order by turns.
        hidden: units of each hidden layer of each transform.
    """

    def __init__(
        self,
        gaussian: nn.Module,
        features: int,
        latent_dim: int,
        transforms: int,
        hidden: Sequence[int],
    ) -> None:
        # Here: zuko takes a second, and switches torch's checks of distributions off.
        from zuko.flows import MaskedAutoregressiveTransform
        from zuko.lazy import LazyComposedTransform

        super().__init__()
        self.gaussian = gaussian
        ascending = torch.arange(latent_dim)
        layers = [
            MaskedAutoregressiveTransform(
                latent_dim,
                features,
                order=ascending.flip(0) if turn % 2 else ascending,
                hidden_features=hidden,
                activation=nn.ELU,
            )
            for turn in range(transforms)
        ]
        self.transform = LazyComposedTransform(*layers)

    @classmethod
    def of(cls, spec: TrainingSpec, features: int) -> "FlowHead":
        gaussian = GaussianHead(features, spec.latent_dim)
        return cls(gaussian, features, spec.latent_dim, spec.flow_transforms, spec.flow_hidden)

    def forward(self, features: Tensor) -> Flow:
        return Flow(self.gaussian(features), self.transform(features))

    def initialise(self) -> None:
        """Let every transform begin as the identity, and q(z | x) as its Gaussian."""
        for transform in self.transform.transforms:
            last = transform.hyper[-1]
            last.weight.zero_()
            last.bias.zero_()
