"""Numbers as products, each of whose factors stands beside the key of the run that sets it."""

import itertools
import math
from collections.abc import Iterator, Mapping
from typing import Any

Run = Mapping[str, Any]
"""The keys of a resolved run."""
Factor = tuple[str, int]
"""A key, or "" where none sets the number."""
Product = list[Factor]


def value(product: Product) -> int:
    return math.prod(factor for _, factor in product)


def layers(run: Run, key: str) -> Product:
    """The widths of hidden layers."""
    return [(key, width) for width in run[key]]


def dense(widths: Product) -> Iterator[Product]:
    """Weights and biases of the linear layers between these widths."""
    for (key, inputs), outputs in itertools.pairwise(widths):
        yield [(key, inputs + 1), outputs]
