"""Encoder and decoder networks, and the variational autoencoder made of them."""

import math
from contextlib import AbstractContextManager, nullcontext
from typing import Any

import torch
from torch import Tensor, nn

from elboflow.vae.arithmetic import PARAMETERS
from elboflow.vae.choices import Posterior as Family
from elboflow.vae.data import ImageShape
from elboflow.vae.model.convolution import ConvolutionalFeatures, ConvolutionalOutput
from elboflow.vae.model.likelihoods import make_likelihood
from elboflow.vae.model.mlp import mlp
from elboflow.vae.model.model import Model
from elboflow.vae.model.posterior import Posterior
from elboflow.vae.model.posteriors import make_posterior_head
from elboflow.vae.model.priors import make_prior
from elboflow.vae.noise import Purpose, generator
from elboflow.vae.spec import TrainingSpec


class VAE(Model):
    """p(z), p(x | z) and q(z | x) as a training specification names them."""

    def __init__(self, spec: TrainingSpec, shape: ImageShape) -> None:
        super().__init__()
        self.shape, pixels = shape, shape.pixels
        self.first_dim = spec.latent_dim
        self.latent_dim = spec.latent_dim + (spec.second_latent_dim or 0)
        self.prior = make_prior(spec, pixels, self.encode_unit)
        self.likelihood = make_likelihood(spec, shape)
        self.encoder, features = _encoder(spec, shape)
        self.posterior = make_posterior_head(spec, features)
        self.decoder = mlp([spec.latent_dim, *spec.decoder_layers], spec.activation)
        width = spec.decoder_layers[-1] if spec.decoder_layers else spec.latent_dim
        self.output = _output(spec, shape, width, self.likelihood.outputs_per_pixel)
        self.precision = spec.precision
        self.to(PARAMETERS[spec.precision])

    @property
    def family(self) -> Family:
        return self.posterior.choice

    def initialise(self, seed: int, mean_image: Tensor) -> None:
        """Glorot-uniform weights, zero biases, and an output bias that shows the training mean.

        Glorot and Bengio, Understanding the difficulty of training deep feedforward neural
        networks, AISTATS 2010, equation 16. Posterior and prior have the last word on their own
        parameters. The draws are numpy's, in float64: the same on every device.
        """
        draws = generator(seed, Purpose.PARAMETERS)
        with torch.no_grad():
            for layer in self.modules():
                if isinstance(layer, (nn.Linear, nn.Conv2d)):
                    outputs, inputs, *kernel = layer.weight.shape
                    bound = (6 / ((inputs + outputs) * math.prod(kernel))) ** 0.5
                    drawn = draws.uniform(-bound, bound, tuple(layer.weight.shape))
                    layer.weight.copy_(torch.from_numpy(drawn))
                    if layer.bias is not None:
                        layer.bias.zero_()
            self.posterior.initialise()
            self.prior.initialise(draws, mean_image)
            self.output.bias.copy_(self.likelihood.initial_output(mean_image))

    def encode(self, x: Tensor) -> Posterior:
        """q(z | x) for images of shape (B, D)."""
        return self.encode_unit(self.likelihood.to_unit(x))

    def encode_unit(self, x: Tensor) -> Posterior:
        """q(z | x) for images of shape (B, D) with values in [0, 1]."""
        with self._rounded_products():
            features = self.encoder(x)
        return self.posterior(features.to(self.dtype))

    def decode(self, z: Tensor) -> Tensor:
        """The likelihood's parameters for z of shape (..., L), shape (..., D * C)."""
        with self._rounded_products():
            outputs = self.output(self.decoder(z[..., : self.first_dim]))
        return outputs.to(self.dtype)

    def draw_images(self, z: Tensor, uniform: Tensor) -> Tensor:
        return self.likelihood.sample(self.decode(z).double(), uniform)

    def _rounded_products(self) -> AbstractContextManager[Any]:
        """Layers in bfloat16, where the specification says so; densities are never rounded."""
        reduced = self.precision == "bf16"
        return torch.autocast(self.device.type, torch.bfloat16) if reduced else nullcontext()


def _encoder(spec: TrainingSpec, shape: ImageShape) -> tuple[nn.Module, int]:
    """The network before the posterior's head, and the number of features that it gives."""
    if not spec.channels:
        sizes = [shape.pixels, *spec.encoder_layers]
        return mlp(sizes, spec.activation), sizes[-1]
    convolutions = ConvolutionalFeatures(shape, spec.channels, spec.activation)
    sizes = [convolutions.features, *spec.encoder_layers]
    return nn.Sequential(convolutions, mlp(sizes, spec.activation)), sizes[-1]


def _output(
    spec: TrainingSpec, shape: ImageShape, features: int, per_pixel: int
) -> nn.Linear | ConvolutionalOutput:
    """The last layer or layers of the decoder; its bias has a number for each output."""
    if not spec.channels:
        return nn.Linear(features, shape.pixels * per_pixel)
    return ConvolutionalOutput(features, shape, per_pixel, spec.channels, spec.activation)
