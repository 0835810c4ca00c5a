"""Convolutions on both sides of the perceptrons: images to features, and features to images.

Each halves height and width (rounded up) on the way in, and doubles them to the same sizes on the
way out, by repeating pixels before it convolves: strided transposed convolutions leave a
checkerboard (Odena, Dumoulin and Olah, Deconvolution and checkerboard artifacts, Distill 2016).
"""

import itertools

import torch
from torch import Tensor, nn

from elboflow.vae.data import ImageShape
from elboflow.vae.model.mlp import activation_named

KERNEL = 3


def sizes(shape: ImageShape, halvings: int) -> list[tuple[int, int]]:
    """Height and width before and after each halving."""
    found = [(shape.height, shape.width)]
    for _ in range(halvings):
        height, width = found[-1]
        found.append((-(-height // 2), -(-width // 2)))
    return found


class ConvolutionalFeatures(nn.Module):
    """Maps images (B, D) to features (B, F) by one convolution for each of `channels`."""

    def __init__(self, shape: ImageShape, channels: list[int], activation: str) -> None:
        super().__init__()
        self.shape = shape
        layers: list[nn.Module] = []
        for inputs, outputs in itertools.pairwise([shape.channels, *channels]):
            convolution = nn.Conv2d(inputs, outputs, KERNEL, stride=2, padding=1)
            layers += [convolution, activation_named(activation)]
        self.layers = nn.Sequential(*layers)
        height, width = sizes(shape, len(channels))[-1]
        self.features = channels[-1] * height * width

    def forward(self, x: Tensor) -> Tensor:
        # Images are stored row by row, with the colours of a pixel side by side.
        image = x.view(-1, self.shape.height, self.shape.width, self.shape.channels)
        return self.layers(image.movedim(-1, 1)).flatten(1)


class ConvolutionalOutput(nn.Module):
    """Maps a decoder's features (..., F) to the likelihood's parameters (..., D * C).

    Mirrors ConvolutionalFeatures. There is a bias for each of the D * C numbers, so that
    an untrained decoder can show the training mean.
    """

    def __init__(
        self,
        features: int,
        shape: ImageShape,
        outputs_per_pixel: int,
        channels: list[int],
        activation: str,
    ) -> None:
        super().__init__()
        self.shape, self.outputs_per_pixel = shape, outputs_per_pixel
        sized = sizes(shape, len(channels))
        self.start = (channels[-1], *sized[-1])
        self.dense = nn.Linear(features, channels[-1] * sized[-1][0] * sized[-1][1])
        layers: list[nn.Module] = []
        widths = [*reversed(channels), shape.channels * outputs_per_pixel]
        for (inputs, outputs), size in zip(
            itertools.pairwise(widths), reversed(sized[:-1]), strict=True
        ):
            layers += [
                activation_named(activation),
                nn.Upsample(size),
                nn.Conv2d(inputs, outputs, KERNEL, padding=1),
            ]
        self.layers = nn.Sequential(*layers)
        self.bias = nn.Parameter(torch.zeros(shape.pixels * outputs_per_pixel))

    @property
    def weight(self) -> Tensor:
        return self.dense.weight

    def forward(self, features: Tensor) -> Tensor:
        maps = self.layers(self.dense(features).view(-1, *self.start))
        parts = maps.unflatten(1, (self.shape.channels, self.outputs_per_pixel))
        pixels = parts.permute(0, 3, 4, 1, 2).flatten(1)  # as they are stored, C numbers for each
        return pixels.view(*features.shape[:-1], -1) + self.bias
