"""Likelihoods p(x | z) of pixels in [0, 1]: densities."""

import math

import torch
from torch import Tensor

from elboflow.vae.data import ImageShape
from elboflow.vae.model.distributions import (
    inverse_mean,
    log_mean_exponential,
    mean_of_exponential,
    mean_of_levels,
)
from elboflow.vae.model.likelihood import Likelihood, Scale, likelihoods
from elboflow.vae.spec import TrainingSpec


@likelihoods("continuous_bernoulli")
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

    def sample(self, outputs: Tensor, uniform: Tensor) -> Tensor:
        # The CDF is (e^(eta x) - 1) / (e^eta - 1), or x where eta is 0. A draw of eta is 1 minus
        # one of -eta, which keeps the exponential small.
        eta = -outputs.abs().clamp(min=1e-9)
        x = torch.log1p(uniform * torch.expm1(eta)) / eta
        return torch.where(outputs > 0, 1 - x, x)

    def initial_output(self, mean_image: Tensor) -> Tensor:
        return inverse_mean(mean_of_exponential, mean_image.clamp(0.01, 0.99))


@likelihoods("gaussian")
class Gaussian(Likelihood):
    """Independent N(output, scale^2) pixels: the scale decides what a nat of distortion buys.

    A density can grow without bound on discrete data as the scale shrinks (Dai and Wipf,
    arXiv:1903.05789), which is why a learned one has a floor.
    """

    def __init__(self, scale: float | None = None, floor: float = 0.001) -> None:
        super().__init__()
        self.scale = Scale(scale, floor)

    @classmethod
    def of(cls, spec: TrainingSpec, shape: ImageShape) -> "Gaussian":
        return cls(spec.likelihood_scale, spec.scale_floor)

    def log_prob(self, outputs: Tensor, x: Tensor) -> Tensor:
        scale = self.scale()
        standardised = (x - outputs) / scale
        return -(0.5 * standardised.square() + scale.log() + 0.5 * math.log(2 * math.pi)).sum(-1)

    def mean(self, outputs: Tensor) -> Tensor:
        return outputs.clamp(0, 1)

    def sample(self, outputs: Tensor, uniform: Tensor) -> Tensor:
        return outputs + self.scale().double() * torch.special.ndtri(uniform)

    def initial_output(self, mean_image: Tensor) -> Tensor:
        return mean_image

    def independent_pixels(self, counts: Tensor, x: Tensor) -> Tensor:
        mean = mean_of_levels(counts)
        grey = torch.linspace(0, 1, counts.shape[1], dtype=counts.dtype)
        square = counts @ grey.square() / counts.sum(1)
        variance = float((square - mean.square()).mean())
        fitted = Gaussian(max(variance**0.5, self.scale.floor))
        return fitted.log_prob(mean.expand(len(x), -1), x)

    def normal_sd(self) -> Tensor:
        return self.scale()

    def floored_scale(self) -> Scale | None:
        return self.scale if self.scale.learned else None
