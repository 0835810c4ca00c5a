"""How many parameters a run's model has, before there is a model.

They are counted in products, of which posteriors and priors bring their own (vae/choices.py).
"""

import itertools
from collections.abc import Iterator
from typing import Any, NamedTuple

from elboflow.vae.choices import LIKELIHOODS, POSTERIORS, PRIORS
from elboflow.vae.products import Factor, Product, dense, layers, value

KERNEL_AREA = 3 * 3


class Shape(NamedTuple):
    """What all images of a data set share, as far as it is known."""

    height: int = 1
    width: int = 1
    channels: int = 1
    levels: int = 1

    @property
    def pixels(self) -> int:
        return self.height * self.width * self.channels


MNIST_SHAPE = Shape(28, 28, 1, 255)
SHAPES = {
    "digits": Shape(8, 8, 1, 16),
    "binarized-mnist": Shape(28, 28),
    **dict.fromkeys(("mnist", "fashion-mnist", "omniglot"), MNIST_SHAPE),
}


def parameters(run: dict[str, Any], shape: Shape) -> int:
    """Numbers that are trained."""
    return sum(map(value, products(run, shape)))


def products(run: dict[str, Any], shape: Shape) -> Iterator[Product]:
    """The parameters of encoder, decoder, posterior and prior."""
    latent, (images, outputs) = ("latent_dim", run["latent_dim"]), ends(run, shape)
    encoder, decoder = layers(run, "encoder_layers"), layers(run, "decoder_layers")
    if run["channels"]:
        maps = [shape.channels, *run["channels"]]
        yield from _convolutions(maps)
        yield from _convolutions([*maps[:0:-1], shape.channels * outputs_per_pixel(run, shape)])
        yield [outputs]
        images = outputs = ("channels", maps[-1] * _corner(shape, len(run["channels"])))
    yield from dense([images, *encoder])
    yield from dense([latent, *decoder, outputs])
    yield from POSTERIORS[run["posterior"]].parameters(run, [images, *encoder][-1])
    yield from PRIORS[run["prior"]].parameters(run, shape.pixels)
    if run["second_latent_dim"]:
        second, hidden = _second(run), layers(run, "second_layers")
        yield from _conditional(latent, hidden, second)
        yield from _conditional(second, hidden[::-1], latent)
    if LIKELIHOODS[run["likelihood"]].scaled:
        yield [("", int(run["likelihood_scale"] is None))]


def ends(run: dict[str, Any], shape: Shape) -> tuple[Factor, Factor]:
    """Numbers of an image, and numbers that the decoder says of it."""
    return ("", shape.pixels), ("", shape.pixels * outputs_per_pixel(run, shape))


def outputs_per_pixel(run: dict[str, Any], shape: Shape) -> int:
    return shape.levels + 1 if LIKELIHOODS[run["likelihood"]].one_output_per_level else 1


def _second(run: dict[str, Any]) -> Factor:
    return "second_latent_dim", run["second_latent_dim"]


def _conditional(given: Factor, hidden: Product, outputs: Factor) -> Iterator[Product]:
    """Hidden layers, and two linear ones on top: means and log standard deviations."""
    yield from dense([given, *hidden, outputs])
    yield from dense([[given, *hidden][-1], outputs])


def _convolutions(maps: list[int]) -> Iterator[Product]:
    for inputs, outputs in itertools.pairwise(maps):
        yield [("channels", KERNEL_AREA * inputs + 1), ("channels", outputs)]


def _corner(shape: Shape, halvings: int) -> int:
    """Height times width after so many halvings, each rounded up."""
    return -(-shape.height // 2**halvings) * -(-shape.width // 2**halvings)
