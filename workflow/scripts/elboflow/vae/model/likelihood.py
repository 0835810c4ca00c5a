"""What every likelihood p(x | z) brings, and the scale that some have.

B = images, D = pixels, C = outputs for each pixel.
"""

import math
from typing import ClassVar

import torch
from torch import Tensor, nn

from elboflow.vae import choices
from elboflow.vae.data import DataError, ImageShape
from elboflow.vae.model.distributions import mean_of_levels
from elboflow.vae.registry import Registry
from elboflow.vae.spec import TrainingSpec

INITIAL_SCALE = 0.25  # of a learned scale, in units of a pixel's range: that of an untrained model

likelihoods = Registry("likelihood")


class Likelihood(nn.Module):
    """What the decoder's outputs mean.

    outputs_per_pixel: numbers C of the decoder per pixel; those of one pixel lie side by side, in
        outputs of shape (..., D * C).
    """

    choice: ClassVar[choices.Likelihood]
    outputs_per_pixel = 1

    @classmethod
    def of(cls, spec: TrainingSpec, shape: ImageShape) -> "Likelihood":
        """The one of a specification, for images of that shape."""
        return cls()

    @property
    def observes(self) -> str:
        """What x is: "binary" (0 or 1, drawn afresh at each visit in training and frozen for
        validation and test), "unit" (grey level / levels, in [0, 1]) or "levels" (whole grey levels
        0 .. levels).
        """
        return self.choice.observes

    @property
    def discrete(self) -> bool:
        """Whether p(x | z) is a probability, so that bits/dim has a meaning; else a density."""
        return choices.DATA[self.observes].discrete

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

    def sample(self, outputs: Tensor, uniform: Tensor) -> Tensor:
        """A draw of x from p(x | z) that rises or falls with the noise, float64, shape (B, D).

        Args:
            outputs: the decoder's, float64, shape (B, D * C).
            uniform: noise in (0, 1), float64, shape (B, D), as of the inverse of a CDF.
        """
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

    def normal_sd(self) -> Tensor | None:
        """The sd of pixels that are normal around the outputs, shape (); None of all others."""
        return None

    def floored_scale(self) -> "Scale | None":
        """The learned scale that a floor may hold up; None where there is none."""
        return None


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
