"""Signs that what a user's model calls log p is not the logarithm of a probability or density.

No look at single images proves that they add to 1. But by Markov's inequality a distribution gives
an image that is drawn uniformly more than c times what the uniform distribution gives it with
probability 1 / c at most; and the mean log-density of a distribution's own draws is at least that
of the Gaussian with the same variances, which has the largest entropy of all (Cover and Thomas,
Elements of information theory, theorem 8.6.5). B = images, D = pixels.
"""

import math
from collections.abc import Iterator

import torch
from torch import Tensor

from elboflow.vae.model.draws import log_likelihood
from elboflow.vae.model.model import Model

CHANCE = 1e-6  # of a false alarm, for each image
DRAWS = 64
SLACK = 1.0  # nats a pixel, for variances from so few draws


@torch.no_grad()
def not_normalised(model: Model, x: Tensor) -> Iterator[str]:
    """What cannot be true of log p(x | z), or of log p(x) without latents.

    Args:
        x: some images, as the likelihood observes them, shape (B, D).
    """
    z, noise = model.encode(x).mean, _uniform(x.shape).to(x.device)
    name = "likelihood(z)" if model.has_latents else "log_prob(x)"
    highest = _uniform_log_prob(model) - math.log(CHANCE)
    found = log_likelihood(model, _spread(model, noise).to(x), z[None])
    if float(found.max()) > highest:
        yield (
            f"{name} gives an image of random pixels {float(found.max()):.4g} nats, which no "
            f"distribution over such images can (at most {highest:.4g}): are pixels averaged in "
            "place of added?"
        )
    if model.likelihood.observes == "unit" and model.draws_images:
        yield from _too_low(model, z[:1].expand(DRAWS, -1), name)


def _uniform(shape: torch.Size) -> Tensor:
    """Numbers uniform in (0, 1), always the same."""
    return torch.rand(shape, generator=torch.Generator().manual_seed(2), dtype=torch.float64)


def _spread(model: Model, noise: Tensor) -> Tensor:
    """Images of the model's kind, each as likely as any other."""
    if model.likelihood.observes == "unit":
        return noise
    return (noise * _values(model)).floor()


def _values(model: Model) -> int:
    """How many values a pixel can have."""
    return 2 if model.likelihood.observes == "binary" else model.shape.levels + 1


def _uniform_log_prob(model: Model) -> float:
    if model.likelihood.observes == "unit":
        return 0.0
    return -model.shape.pixels * math.log(_values(model))


def _too_low(model: Model, z: Tensor, name: str) -> Iterator[str]:
    noise = _uniform(torch.Size([DRAWS, model.shape.pixels])).to(z.device)
    drawn = model.draw_images(z, noise).to(model.dtype)
    mean = float(log_likelihood(model, drawn, z[None]).double().mean())
    variance = drawn.double().var(0).clamp(min=1e-8)
    lowest = -0.5 * float((2 * math.pi * math.e * variance).log().sum())
    if mean < lowest - SLACK * model.shape.pixels:
        yield (
            f"{name} gives the model's own images {mean:.4g} nats on average, and a density of "
            f"their spread gives at least {lowest:.4g}: is the log-determinant of a change of "
            "scale missing?"
        )
