"""What every prior p(z) brings."""

from collections.abc import Callable
from typing import Any, ClassVar

import numpy as np
from torch import Tensor, nn

from elboflow.vae import choices
from elboflow.vae.registry import Registry
from elboflow.vae.spec import TrainingSpec

priors = Registry("prior")

Encode = Callable[[Tensor], Any]
"""Maps images (B, D) in [0, 1] to a posterior."""


class Prior(nn.Module):
    """p(z), with z of L dimensions."""

    choice: ClassVar[choices.Prior]
    is_standard_normal = False

    @classmethod
    def of(cls, spec: TrainingSpec, pixels: int, encode: Encode) -> "Prior":
        """The one of a specification, for images of D pixels and their encoder."""
        return cls()

    @property
    def discrete(self) -> bool:
        """Whether z is one of L equally likely values, over which sums are exact."""
        return self.choice.discrete

    @property
    def closed_form_kl(self) -> bool:
        """Whether a posterior's kl() is that to this prior."""
        return self.choice.closed_form_kl

    def log_prob(self, z: Tensor) -> Tensor:
        """log p(z) in nats, shape (..., L) to (...)."""
        raise NotImplementedError

    def sample(self, epsilon: Tensor) -> Tensor:
        """Draws of z from standard normal noise of the same shape."""
        raise NotImplementedError

    def initialise(self, draws: np.random.Generator, mean_image: Tensor) -> None:
        """Nothing, on top of what all linear layers get."""
