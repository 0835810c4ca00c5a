"""How many parameters a run's model has, before there is a model.

They are counted in products, each a list of factors with the keys of the run that set them.
"""

import itertools
import math
from collections.abc import Iterator
from typing import Any, NamedTuple

KERNEL = 3 * 3
Factor = tuple[str, int]
Product = list[Factor]


class Shape(NamedTuple):
    """What all images of a data set share, as far as it is known."""

    height: int = 1
    width: int = 1
    channels: int = 1
    levels: int = 1

    @property
    def pixels(self) -> int:
        return self.height * self.width * self.channels


MNIST = Shape(28, 28, 1, 255)
SHAPES = {
    "digits": Shape(8, 8, 1, 16),
    "binarized-mnist": Shape(28, 28),
    **dict.fromkeys(("mnist", "fashion-mnist", "omniglot"), MNIST),
}


def value(product: Product) -> int:
    return math.prod(factor for _, factor in product)


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
    yield from _dense([images, *encoder])
    yield from _dense([latent, *decoder, outputs])
    yield from _posterior(run, [images, *encoder][-1], latent)
    yield from _prior(run, latent, shape.pixels)
    if run["likelihood"] in ("gaussian", "discretised_logistic"):
        yield [("", int(run["likelihood_scale"] is None))]


def layers(run: dict[str, Any], key: str) -> Product:
    return [(key, width) for width in run[key]]


def ends(run: dict[str, Any], shape: Shape) -> tuple[Factor, Factor]:
    """Numbers of an image, and numbers that the decoder says of it."""
    return ("", shape.pixels), ("", shape.pixels * outputs_per_pixel(run, shape))


def outputs_per_pixel(run: dict[str, Any], shape: Shape) -> int:
    return shape.levels + 1 if run["likelihood"] == "categorical" else 1


def _posterior(run: dict[str, Any], features: Factor, latent: Factor) -> Iterator[Product]:
    yield from _dense([features, latent])  # means, or logits
    if run["posterior"] != "categorical":
        yield from _dense([features, latent])  # log standard deviations
    if run["posterior"] == "full_covariance":
        yield from _dense([features, ("latent_dim", latent[1] * (latent[1] - 1) // 2)])
    if run["posterior"] == "flow":
        given, last = ("latent_dim", latent[1] + features[1]), ("latent_dim", 2 * latent[1])
        for product in _dense([given, *layers(run, "flow_hidden"), last]):
            yield [("flow_transforms", run["flow_transforms"]), *product]
    if run["second_latent_dim"]:
        yield from _conditional(latent, layers(run, "second_layers"), _second(run))


def _prior(run: dict[str, Any], latent: Factor, pixels: int) -> Iterator[Product]:
    components = ("prior_components", run["prior_components"])
    if run["prior"] == "mixture":
        yield [components, ("latent_dim", 2 * latent[1] + 1)]
    if run["prior"] == "vamp":
        yield [components, ("", pixels)]
    if run["second_latent_dim"]:
        yield from _conditional(_second(run), layers(run, "second_layers")[::-1], latent)


def _second(run: dict[str, Any]) -> Factor:
    return "second_latent_dim", run["second_latent_dim"]


def _conditional(given: Factor, hidden: Product, outputs: Factor) -> Iterator[Product]:
    """Hidden layers, and two linear ones on top: means and log standard deviations."""
    yield from _dense([given, *hidden, outputs])
    yield from _dense([[given, *hidden][-1], outputs])


def _dense(widths: Product) -> Iterator[Product]:
    """Weights and biases of the linear layers between these widths."""
    for (key, inputs), outputs in itertools.pairwise(widths):
        yield [(key, inputs + 1), outputs]


def _convolutions(maps: list[int]) -> Iterator[Product]:
    for inputs, outputs in itertools.pairwise(maps):
        yield [("channels", KERNEL * inputs + 1), ("channels", outputs)]


def _corner(shape: Shape, halvings: int) -> int:
    """Height times width after so many halvings, each rounded up."""
    return -(-shape.height // 2**halvings) * -(-shape.width // 2**halvings)
