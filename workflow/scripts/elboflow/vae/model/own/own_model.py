"""A model that a user wrote, as training and measuring know models.

B = images, K = samples, L = latent dimensions, D = pixels, N = rows of z.
"""

from typing import Any

from torch import Tensor

from elboflow.vae.choices import Posterior as Family
from elboflow.vae.data import ImageShape
from elboflow.vae.model.own.forms import latents_of
from elboflow.vae.model.own.latents import (
    OwnPrior,
    family_of,
    is_injected,
    is_real,
    places_of,
    posterior_of,
    sizes_of,
)
from elboflow.vae.model.own.lifted import Lifted
from elboflow.vae.model.own.pixels import Decoded, OwnLikelihood, as_images
from elboflow.vae.model.posterior import Posterior
from elboflow.vae.spec import TrainingSpec


class OwnModel(Lifted):
    """Of a module with prior(), posterior(x) and likelihood(z)."""

    def __init__(self, spec: TrainingSpec, shape: ImageShape, own: Any) -> None:
        super().__init__(spec, shape, own)
        prior, posterior = latents_of(spec, own, shape, self.dtype)
        sizes = sizes_of(prior)
        self.places, self.latent_dim = places_of(sizes), sum(sizes.values())
        self.prior = OwnPrior(own.prior, self.places)
        self.likelihood = OwnLikelihood(str(spec.observes), shape)
        self._family = family_of(posterior)
        self._is_real = is_real(prior) and is_real(posterior)
        self.noise = "injected" if is_injected(prior) and is_injected(posterior) else "seeded"

    @property
    def family(self) -> Family:
        return self._family

    @property
    def any_z_has_a_density(self) -> bool:
        return self._is_real

    def encode(self, x: Tensor) -> Posterior:
        """q(z | x) for images of shape (B, D)."""
        like = x.new_zeros(len(x), self.latent_dim)
        return posterior_of(self.own.posterior(as_images(x, self.shape)), self.places, like)

    def decode(self, z: Tensor) -> Decoded:
        """p(x | z) for z of shape (..., L)."""
        return Decoded(self.own.likelihood(z.reshape(-1, self.latent_dim)), z.shape[:-1])
