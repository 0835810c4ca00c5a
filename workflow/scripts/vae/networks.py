"""Encoder and decoder networks, and the variational autoencoder made of them."""

import itertools

import torch
from torch import Tensor, nn

from vae.arithmetic import PARAMETERS
from vae.data import ImageShape
from vae.likelihood import make_likelihood
from vae.noise import Purpose, generator
from vae.posterior import Gaussian, make_posterior_head
from vae.prior import make_prior
from vae.spec import SpecError, TrainingSpec

ACTIVATIONS = {"tanh": nn.Tanh, "relu": nn.ReLU, "elu": nn.ELU, "gelu": nn.GELU}


def mlp(sizes: list[int], activation: str) -> nn.Sequential:
    """Linear layers of these sizes, each but the input followed by the activation."""
    if activation not in ACTIVATIONS:
        raise SpecError(f"activation: {activation!r} is unknown, use {', '.join(ACTIVATIONS)}")
    layers: list[nn.Module] = []
    for inputs, outputs in itertools.pairwise(sizes):
        layers += [nn.Linear(inputs, outputs), ACTIVATIONS[activation]()]
    return nn.Sequential(*layers)


class VAE(nn.Module):
    """p(z), p(x | z) and q(z | x) as a training specification names them."""

    def __init__(self, spec: TrainingSpec, shape: ImageShape) -> None:
        super().__init__()
        self.shape, pixels = shape, shape.pixels
        self.latent_dim = spec.latent_dim
        self.prior = make_prior(spec.prior)
        self.likelihood = make_likelihood(spec.likelihood)
        self.encoder = mlp([pixels, *spec.encoder_layers], spec.activation)
        features = spec.encoder_layers[-1] if spec.encoder_layers else pixels
        self.posterior = make_posterior_head(spec.posterior, features, spec.latent_dim)
        self.decoder = mlp([spec.latent_dim, *spec.decoder_layers], spec.activation)
        width = spec.decoder_layers[-1] if spec.decoder_layers else spec.latent_dim
        self.output = nn.Linear(width, pixels)
        self.precision = spec.precision
        self.to(PARAMETERS[spec.precision])

    @property
    def dtype(self) -> torch.dtype:
        return self.output.weight.dtype

    @property
    def device(self) -> torch.device:
        return self.output.weight.device

    def encode(self, x: Tensor) -> Gaussian:
        """q(z | x) for images of shape (B, D)."""
        with self._rounded_products():
            features = self.encoder(x)
        return self.posterior(features.to(self.dtype))

    def decode(self, z: Tensor) -> Tensor:
        """The likelihood's parameters (logits) for z of shape (..., L), shape (..., D)."""
        with self._rounded_products():
            outputs = self.output(self.decoder(z))
        return outputs.to(self.dtype)

    def _rounded_products(self) -> torch.autocast:
        """Layers in bfloat16, where the specification says so; densities are never rounded."""
        reduced = self.precision == "bf16"
        return torch.autocast(self.device.type, torch.bfloat16, enabled=reduced)


def initialise(vae: VAE, seed: int, mean_image: Tensor) -> None:
    """Glorot-uniform weights, zero biases, and an output bias that shows the training mean.

    Glorot and Bengio, Understanding the difficulty of training deep feedforward neural networks,
    AISTATS 2010, equation 16. The draws are numpy's, in float64: the same on every device.
    """
    draws = generator(seed, Purpose.PARAMETERS)
    with torch.no_grad():
        for layer in vae.modules():
            if isinstance(layer, nn.Linear):
                outputs, inputs = layer.weight.shape
                bound = (6 / (inputs + outputs)) ** 0.5
                layer.weight.copy_(
                    torch.from_numpy(draws.uniform(-bound, bound, (outputs, inputs)))
                )
                layer.bias.zero_()
        vae.output.bias.copy_(vae.likelihood.initial_output(mean_image))
