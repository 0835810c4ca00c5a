"""What training and measuring know of a model, whoever wrote it.

B = images, K = samples, L = latent dimensions, D = pixels.
"""

from typing import Any

import torch
from torch import Tensor, nn

from elboflow.vae.choices import Posterior as Family
from elboflow.vae.data import ImageShape
from elboflow.vae.model.likelihood import Likelihood
from elboflow.vae.model.posterior import Posterior
from elboflow.vae.model.prior import Prior


class Model(nn.Module):
    """p(z), p(x | z) and q(z | x).

    latent_dim: L; 0 of a model without latents, whose ELBO is log p(x) itself.
    noise: `injected` where draws of z are functions of standard normal noise, which is the same for
        any number of ranks; `seeded` where each image's generator is seeded by it.
    """

    shape: ImageShape
    latent_dim: int
    prior: Prior
    likelihood: Likelihood
    precision: str
    noise: str = "injected"

    @property
    def family(self) -> Family:
        """What can be done with q(z | x)."""
        raise NotImplementedError

    @property
    def has_latents(self) -> bool:
        return self.latent_dim > 0

    @property
    def any_z_has_a_density(self) -> bool:
        """Whether z may be any real numbers, as where AIS moves it."""
        return not self.prior.discrete

    @property
    def draws_images(self) -> bool:
        """Whether images can be drawn from it."""
        return True

    @property
    def dtype(self) -> torch.dtype:
        return next(self.parameters()).dtype

    @property
    def device(self) -> torch.device:
        return next(self.parameters()).device

    @property
    def rounds_products(self) -> bool:
        """Whether products may be rounded further than the parameters are."""
        return self.precision in ("tf32", "bf16")

    def initialise(self, seed: int, mean_image: Tensor) -> None:
        """Set all parameters, a function of the seed, and of the training images' mean (D,)."""
        raise NotImplementedError

    def encode(self, x: Tensor) -> Posterior:
        """q(z | x) for images of shape (B, D), as the likelihood observes them."""
        raise NotImplementedError

    def decode(self, z: Tensor) -> Any:
        """What the likelihood takes for its parameters, for z of shape (..., L)."""
        raise NotImplementedError

    def draw_images(self, z: Tensor, uniform: Tensor) -> Tensor:
        """Draws from p(x | z), float64, shape (B, D).

        Args:
            z: shape (B, L).
            uniform: noise in (0, 1), float64, shape (B, D).
        """
        return self.likelihood.sample(self.decode(z), uniform)

    def kl_per_dimension(self, posterior: Posterior) -> Tensor:
        """KL(q(z_l | x) || p(z_l)) in nats, shape (B, L); nan where the KL is no sum of such."""
        kl = posterior.kl_per_dimension() if self.prior.closed_form_kl else None
        return torch.full_like(posterior.mean, torch.nan) if kl is None else kl
