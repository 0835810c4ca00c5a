"""Exact log p(x) of a VAE that is a linear-Gaussian model."""

from typing import Any

import torch
from torch import nn

from elboflow.vae.model.linear_gaussian import LinearGaussian
from elboflow.vae.model.model import Model
from elboflow.vae.model.networks import VAE


def is_linear_gaussian(vae: Model) -> bool:
    """Whether decoder, likelihood and prior are those of a linear-Gaussian model.

    In reduced precision the decoder rounds its products, and is linear no more.
    """
    return (
        isinstance(vae, VAE)
        and all(isinstance(layer, nn.Linear) for layer in _decoder_layers(vae))
        and vae.likelihood.normal_sd() is not None
        and vae.prior.is_standard_normal
        and not vae.rounds_products
    )


@torch.no_grad()
def linear_gaussian(vae: Model) -> LinearGaussian:
    """The same model, in which log p(x) and p(z | x) are exact.

    Raises:
        ValueError: it is no linear-Gaussian model.
    """
    sd = vae.likelihood.normal_sd()
    if not isinstance(vae, VAE) or not is_linear_gaussian(vae) or sd is None:
        raise ValueError("exact values need a linear decoder, gaussian pixels and a normal prior")
    weights = torch.eye(vae.latent_dim, dtype=torch.float64)
    mean = torch.zeros(vae.latent_dim, dtype=torch.float64)
    for layer in _decoder_layers(vae):
        matrix, bias = layer.weight.double().cpu(), layer.bias.double().cpu()
        weights, mean = matrix @ weights, matrix @ mean + bias
    variance = sd.double().square().item()
    return LinearGaussian(weights.numpy(), mean.numpy(), variance)


def _decoder_layers(vae: VAE) -> list[Any]:
    inner = [part for part in vae.decoder.modules() if not isinstance(part, nn.Sequential)]
    return [*inner, vae.output]
