"""Likelihoods p(x | z) of binary pixels and of pixels in [0, 1]."""

import math

import torch
from torch import Tensor, nn
from torch.nn import functional

from elboflow.vae.data import DataError
from elboflow.vae.model.distributions import (
    inverse_mean,
    log_mean_exponential,
    mean_of_exponential,
    mean_of_levels,
)

INITIAL_SCALE = 0.25  # of a learned scale, in units of a pixel's range: that of an untrained model


class Likelihood(nn.Module):
    """What the decoder's outputs mean.

    observes: what x is: "binary" (0 or 1, drawn afresh at each visit in training and frozen for
        validation and test), "unit" (grey level / levels, in [0, 1]) or "levels" (whole grey
        levels 0 .. levels).
    discrete: whether p(x | z) is a probability, so that bits/dim has a meaning; else a density.
    outputs_per_pixel: numbers C of the decoder per pixel; those of one pixel lie side by side, in
        outputs of shape (..., D * C).
    """

    observes = "unit"
    discrete = False
    outputs_per_pixel = 1

    def log_prob(self, outputs: Tensor, x: Tensor) -> Tensor:
        """log p(x | z) in nats, summed over pixels.

        Args:
            outputs: the decoder's, shape (..., B, D * C).
            x: images as `observes` says, shape (B, D).

        Returns:
            Shape (..., B).
        """
        raise NotImplementedError

    def mean(self, outputs: Tensor) -> Tensor:
        """E[x | z] as a share of the largest level, in [0, 1], shape (..., D)."""
        raise NotImplementedError

    def initial_output(self, mean_image: Tensor) -> Tensor:
        """The output bias with which an untrained decoder shows the training mean, (D * C,)."""
        raise NotImplementedError

    def require_support(self, x: Tensor) -> None:
        """Refuse images that this likelihood is no density of (DataError)."""
        if not bool(((x >= 0) & (x <= 1)).all()):
            raise DataError(
                f"{type(self).__name__} is a density of pixels in [0, 1] and these are outside: "
                "divide the grey levels by the largest"
            )

    def to_unit(self, x: Tensor) -> Tensor:
        """The images as the encoder sees them, in [0, 1]."""
        return x

    def independent_pixels(self, counts: Tensor, x: Tensor) -> Tensor:
        """log p(x) of the same likelihood without z, fitted to the training images, shape (N,).

        Args:
            counts: how often each pixel has each grey level in training, shape (D, levels + 1).
            x: images of shape (N, D).
        """
        outputs = self.initial_output(mean_of_levels(counts))
        return self.log_prob(outputs.expand(len(x), -1), x)


class Bernoulli(Likelihood):
    """Independent binary pixels with the decoder's outputs as logits."""

    observes = "binary"
    discrete = True

    def log_prob(self, outputs: Tensor, x: Tensor) -> Tensor:
        target = x.expand_as(outputs)
        return -functional.binary_cross_entropy_with_logits(outputs, target, reduction="none").sum(
            -1
        )

    def mean(self, outputs: Tensor) -> Tensor:
        return outputs.sigmoid()

    def initial_output(self, mean_image: Tensor) -> Tensor:
        return torch.logit(mean_image.clamp(0.001, 0.999))

    def require_support(self, x: Tensor) -> None:
        if not bool(((x == 0) | (x == 1)).all()):
            raise DataError(
                "a Bernoulli likelihood is a density of binary pixels only and these are grey: "
                "binarise the images first"
            )


class ContinuousBernoulli(Likelihood):
    """Pixels in [0, 1] with density C(lambda) lambda^x (1 - lambda)^(1 - x).

    Loaiza-Ganem and Cunningham, arXiv:1907.06845. With the output
    eta = logit(lambda) it is exp(eta x) / integral of exp(eta t) over [0, 1]. At a pixel that is
    always black or white the best eta is infinite, and the density with it.
    """

    def log_prob(self, outputs: Tensor, x: Tensor) -> Tensor:
        return (outputs * x - log_mean_exponential(outputs)).sum(-1)

    def mean(self, outputs: Tensor) -> Tensor:
        return mean_of_exponential(outputs)

    def initial_output(self, mean_image: Tensor) -> Tensor:
        return inverse_mean(mean_of_exponential, mean_image.clamp(0.01, 0.99))


class Scale(nn.Module):
    """One positive number for all pixels: given, or learned above a floor.

    Learned it is sqrt(floor^2 + exp(2 log_scale)), whose gradient does not vanish at the floor.
    """

    def __init__(self, given: float | None, floor: float = 0.0) -> None:
        super().__init__()
        self.floor = floor
        self.learned = given is None
        scale = INITIAL_SCALE if given is None else given
        log_scale = torch.tensor(math.log(scale), dtype=torch.float64)
        if self.learned:
            self.log_scale = nn.Parameter(log_scale)
        else:
            self.register_buffer("log_scale", log_scale, persistent=False)

    def forward(self) -> Tensor:
        """The scale, shape ()."""
        if not self.learned:
            return self.log_scale.exp()
        return (self.floor**2 + (2 * self.log_scale).exp()).sqrt()


class Gaussian(Likelihood):
    """Independent N(output, scale^2) pixels: the scale decides what a nat of distortion buys.

    A density can grow without bound on discrete data as the scale shrinks (Dai and Wipf,
    arXiv:1903.05789), which is why a learned one has a floor.
    """

    def __init__(self, scale: float | None = None, floor: float = 0.001) -> None:
        super().__init__()
        self.scale = Scale(scale, floor)

    def log_prob(self, outputs: Tensor, x: Tensor) -> Tensor:
        scale = self.scale()
        standardised = (x - outputs) / scale
        return -(0.5 * standardised.square() + scale.log() + 0.5 * math.log(2 * math.pi)).sum(-1)

    def mean(self, outputs: Tensor) -> Tensor:
        return outputs.clamp(0, 1)

    def initial_output(self, mean_image: Tensor) -> Tensor:
        return mean_image

    def independent_pixels(self, counts: Tensor, x: Tensor) -> Tensor:
        mean = mean_of_levels(counts)
        grey = torch.linspace(0, 1, counts.shape[1], dtype=counts.dtype)
        square = counts @ grey.square() / counts.sum(1)
        variance = float((square - mean.square()).mean())
        fitted = Gaussian(max(variance**0.5, self.scale.floor))
        return fitted.log_prob(mean.expand(len(x), -1), x)
