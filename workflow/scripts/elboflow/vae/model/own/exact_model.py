"""A user's model without latents, which says log p(x) itself: autoregressive models, flows.

It is a Model whose z has no numbers: q(z | x) is p(z), the rate is 0, and the ELBO is log p(x).
"""

from dataclasses import dataclass
from typing import Any

import torch
from torch import Tensor, nn

from elboflow.vae import choices
from elboflow.vae.data import ImageShape
from elboflow.vae.model.own.draws import generator_of
from elboflow.vae.model.own.latents import ANY_FAMILY
from elboflow.vae.model.own.lifted import Lifted
from elboflow.vae.model.own.pixels import OwnLikelihood, as_images, as_pixels
from elboflow.vae.model.posterior import Posterior
from elboflow.vae.model.prior import Prior
from elboflow.vae.spec import SpecError, TrainingSpec


@dataclass(frozen=True)
class NoPosterior(Posterior):
    """Of z without numbers, shape (B, 0)."""

    mean: Tensor

    def sample(self, epsilon: Tensor) -> tuple[Tensor, Tensor]:
        return epsilon, self.log_prob(epsilon)

    def log_prob(self, z: Tensor) -> Tensor:
        return z.sum(-1)

    def kl(self) -> Tensor:
        return self.mean.sum(-1)

    def kl_per_dimension(self) -> Tensor:
        return self.mean

    def detach(self) -> "NoPosterior":
        return self


class NoPrior(Prior):
    """The same."""

    choice = choices.Prior("", closed_form_kl=True)

    def log_prob(self, z: Tensor) -> Tensor:
        return z.sum(-1)

    def sample(self, epsilon: Tensor) -> Tensor:
        return epsilon


class ExactLikelihood(OwnLikelihood):
    """log p(x) in the place of log p(x | z); the outputs are the module and the shape of z."""

    def log_prob(self, outputs: Any, x: Tensor) -> Tensor:
        own, leading = outputs
        return own.log_prob(as_images(x, self.shape)).expand(leading)

    def mean(self, outputs: Any) -> Tensor:
        raise SpecError("a model without latents has no mean image of a z")

    def sample(self, outputs: Any, uniform: Tensor) -> Tensor:
        """Draws by the module's own sample(B), from a generator that the noise seeds."""
        own, _ = outputs
        with generator_of(uniform):
            return as_pixels(own.sample(len(uniform))).double()


class ExactModel(Lifted):
    """Of a module with log_prob(x), and perhaps sample(count)."""

    latent_dim = 0

    def __init__(self, spec: TrainingSpec, shape: ImageShape, own: Any) -> None:
        super().__init__(spec, shape, own)
        self.prior, self.likelihood = NoPrior(), ExactLikelihood(str(spec.observes), shape)

    @property
    def family(self) -> choices.Posterior:
        return ANY_FAMILY

    @property
    def any_z_has_a_density(self) -> bool:
        return False

    @property
    def draws_images(self) -> bool:
        return callable(getattr(self.own, "sample", None))

    def encode(self, x: Tensor) -> Posterior:
        """z without numbers, for images of shape (B, D)."""
        return NoPosterior(x.new_zeros(len(x), 0))

    def decode(self, z: Tensor) -> tuple[nn.Module, torch.Size]:
        """The module itself, and how often it is asked."""
        return self.own, z.shape[:-1]
