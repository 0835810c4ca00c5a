"""Images that a model generates: z ~ p(z), and x ~ p(x | z). B = images, D = pixels."""

from collections.abc import Sequence

import torch
from torch import Tensor

from elboflow.vae.model.model import Model
from elboflow.vae.noise import Purpose, normals, uniforms, words

FIRST_IMAGE = 1 << 32  # the number of the first simulated image, beyond those of any test split


@torch.no_grad()
def simulate(vae: Model, seed: int, images: Sequence[int]) -> tuple[Tensor, Tensor]:
    """z ~ p(z), shape (B, L), and x ~ p(x | z), shape (B, D): each z is a sample of its p(z | x).

    Args:
        images: their numbers, from FIRST_IMAGE on, which key their noise here and elsewhere.
    """
    latent, pixels = vae.latent_dim, vae.shape.pixels
    starts = [(image, 0) for image in images]
    raw = words(seed, Purpose.AIS_SIMULATION, starts, 1, latent + pixels, vae.device)[:, 0]
    z = vae.prior.sample(normals(raw[:, :latent], vae.dtype))
    x = vae.draw_images(z, uniforms(raw[:, latent:]))
    return z, x.to(vae.dtype)
