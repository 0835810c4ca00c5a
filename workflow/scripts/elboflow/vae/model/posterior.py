"""What every posterior q(z | x) brings, and the last layers of an encoder that yield it.

B = images, K = samples, L = latent dimensions.
"""

from typing import TYPE_CHECKING, ClassVar

from torch import Tensor, nn

from elboflow.vae import choices
from elboflow.vae.registry import Registry
from elboflow.vae.spec import TrainingSpec

posteriors = Registry("posterior")


class Posterior:
    """q(z | x) of a batch of B images."""

    if TYPE_CHECKING:  # a dataclass would take the property for the default of its field

        @property
        def mean(self) -> Tensor:
            """E[z | x], shape (B, L)."""

    def sample(self, epsilon: Tensor) -> tuple[Tensor, Tensor]:
        """Reparametrised draws z from standard normal noise (K, B, L), and log q(z | x), (K, B)."""
        raise NotImplementedError

    def log_prob(self, z: Tensor) -> Tensor:
        """log q(z | x) in nats, shape (..., B, L) to (..., B)."""
        raise NotImplementedError

    def log_prob_of_each(self, z: Tensor) -> Tensor:
        """log q of every z under each of the B distributions, in nats, (..., L) to (..., B)."""
        raise NotImplementedError

    def widened(self, factor: float) -> "Posterior | None":
        """`factor` times the standard deviations about the same means; None where none knows."""
        return None

    def kl(self) -> Tensor | None:
        """KL to N(0, I), or to Uniform, in nats, shape (B,); None where there is no closed form."""
        return None

    def kl_per_dimension(self) -> Tensor | None:
        """Its terms, shape (B, L); None where it is no sum over dimensions."""
        return None

    def detach(self) -> "Posterior":
        """The same distribution as a constant: no gradient reaches its parameters."""
        raise NotImplementedError

    def nearer_to_prior(self, kept: float) -> "Posterior":
        """N(kept mean, kept^2 covariance + (1 - kept^2) I) of each: if q(z) is N(0, I), so is this.

        West, Approximating posterior distributions by mixture, J. R. Statist. Soc. B 55 (1993) 409.
        """
        raise NotImplementedError(f"{type(self).__name__} is not moved towards a prior")

    def offsets(self) -> list[Tensor]:
        """Zeros, the place of this q in its family; none where the family is not searched."""
        return []

    def at(self, offsets: list[Tensor]) -> "Posterior":
        """The q of the same family at a place that is given in units of this one's width."""
        raise NotImplementedError


class Head(nn.Module):
    """Maps an encoder's features, shape (B, features), to q(z | x)."""

    choice: ClassVar[choices.Posterior]

    @classmethod
    def of(cls, spec: TrainingSpec, features: int) -> "Head":
        """The one of a specification, behind so many features."""
        raise NotImplementedError

    def forward(self, features: Tensor) -> Posterior:
        raise NotImplementedError

    def initialise(self) -> None:
        """Nothing, on top of what all linear layers get."""
