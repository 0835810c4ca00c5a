"""The likelihood of a user's model. B = images, D = pixels, N = rows of z that are decoded."""

from collections.abc import Callable
from dataclasses import dataclass
from typing import Any

import torch
from torch import Tensor
from torch.distributions import Bernoulli, Distribution, Independent

from elboflow.vae.data import ImageShape
from elboflow.vae.model import binary_likelihoods, level_likelihoods, unit_likelihoods
from elboflow.vae.model.likelihood import Likelihood
from elboflow.vae.model.own.draws import draw, is_injected, seeded

DRAWS_OF_MEAN = 100
# Whose independent pixels are the baseline of images of that kind, and which images it takes.
BASELINES: dict[str, Callable[[ImageShape], Likelihood]] = {
    "binary": lambda shape: binary_likelihoods.Bernoulli(),
    "unit": lambda shape: unit_likelihoods.Gaussian(),
    "levels": lambda shape: level_likelihoods.LevelLikelihood(shape.levels),
}


def as_images(x: Tensor, shape: ImageShape) -> Tensor:
    """Pixels (..., D) as users' networks take them, (..., C, H, W)."""
    return x.unflatten(-1, (shape.height, shape.width, shape.channels)).movedim(-1, -3)


def as_pixels(images: Tensor) -> Tensor:
    """The reverse."""
    return images.movedim(-3, -1).flatten(-3)


@dataclass(frozen=True)
class Decoded:
    """p(x | z) of N rows of z, which stand for a tensor of them of shape `leading`."""

    distribution: Distribution  # batch_shape (N,), event_shape (C, H, W)
    leading: torch.Size


class OwnLikelihood(Likelihood):
    """What a user's likelihood(z) returned, in place of a decoder's outputs."""

    def __init__(self, observes: str, shape: ImageShape) -> None:
        super().__init__()
        self._observes, self.shape = observes, shape
        self.baseline = BASELINES[observes](shape)

    @property
    def observes(self) -> str:
        return self._observes

    def log_prob(self, outputs: Any, x: Tensor) -> Tensor:
        if (binary := _bernoulli(outputs.distribution)) is not None:
            # As the built-in one has it: a quarter faster.
            return self.baseline.log_prob(self._pixels(binary.logits, outputs.leading), x)
        images = as_images(x, self.shape)
        rows = images.expand(*outputs.leading, *images.shape[-3:]).flatten(0, -4)
        return outputs.distribution.log_prob(rows).view(outputs.leading)

    def mean(self, outputs: Any) -> Tensor:
        """E[x | z]; of a distribution without a mean that of its draws."""
        try:
            mean = outputs.distribution.mean
        except NotImplementedError:
            noise = torch.arange(outputs.leading.numel(), dtype=torch.float64)[:, None]
            mean = seeded(outputs.distribution, noise, torch.Size([DRAWS_OF_MEAN])).mean(0)
        largest = self.shape.levels if self.observes == "levels" else 1
        return self._pixels(mean / largest, outputs.leading).clamp(0, 1)

    def _pixels(self, images: Tensor, leading: torch.Size) -> Tensor:
        """Of rows of z the pixels of each z, (N, C, H, W) to (..., D)."""
        return as_pixels(images).view(*leading, self.shape.pixels)

    def sample(self, outputs: Any, uniform: Tensor) -> Tensor:
        distribution, noise = outputs.distribution, as_images(uniform, self.shape)
        if (binary := _bernoulli(distribution)) is not None:
            return as_pixels((noise < binary.mean).double())
        if is_injected(distribution):
            return as_pixels(draw(distribution, torch.special.ndtri(noise)).double())
        return as_pixels(seeded(distribution, noise, torch.Size()).double())

    def to_unit(self, x: Tensor) -> Tensor:
        return self.baseline.to_unit(x)

    def require_support(self, x: Tensor) -> None:
        self.baseline.require_support(x)

    def independent_pixels(self, counts: Tensor, x: Tensor) -> Tensor:
        """Independent pixels of the kind that BASELINES names."""
        return self.baseline.independent_pixels(counts, x)


def _bernoulli(distribution: Distribution) -> Bernoulli | None:
    """The binary pixels that are independent of each other, if they are."""
    base = distribution.base_dist if isinstance(distribution, Independent) else None
    return base if type(base) is Bernoulli else None
