"""From the numbers of a user's file to grey levels, or to a refusal."""

import math
from collections.abc import Mapping, Sequence

import numpy as np
from numpy.typing import NDArray

from datasets.errors import DataError
from datasets.readers import Array

EXPECTED = "expected integers 0 to 255, booleans, or floats that are 0, 1 or k/255"
TOLERANCE = 1e-6  # many times what storing k/255 as float32 loses
BLACK_AND_WHITE, GREY = 1, 255  # levels above black
COLOURS = 3  # red, green and blue


def to_levels(parts: Mapping[str, Array]) -> tuple[dict[str, NDArray[np.uint8]], int]:
    """Grey levels of the arrays, and the highest level: 1 for black and white, else 255.

    Integers are levels as they are; floats are level / 255. Where all values of all parts are 0
    or 1 the images are black and white, however they are stored. Nothing is rounded away, clipped
    or rescaled.

    Raises:
        DataError: a value is not a grey level, or the parts do not mean the same by a number.
    """
    for name, array in parts.items():
        if array.dtype.kind not in "buif":
            raise DataError(f"{name} holds {array.dtype}; {EXPECTED}")
    if all(_is_binary(array) for array in parts.values()):
        return {name: array.astype(np.uint8) for name, array in parts.items()}, BLACK_AND_WHITE
    if len({array.dtype.kind == "f" for array in parts.values()}) > 1:
        raise DataError(f"some parts hold floats, others integers; {EXPECTED}")
    return {name: _grey(name, array) for name, array in parts.items()}, GREY


def _is_binary(array: Array) -> bool:
    return bool(np.all((array == 0) | (array == 1)))


def _grey(name: str, array: Array) -> NDArray[np.uint8]:
    """Levels 0 to 255 of one array that is not black and white."""
    if array.dtype.kind == "f":
        return _grey_of_floats(name, array)
    if array.min() < 0 or array.max() > GREY:
        raise DataError(f"{name} holds integers {array.min()} to {array.max()}; {EXPECTED}")
    return array.astype(np.uint8)


def _grey_of_floats(name: str, array: Array) -> NDArray[np.uint8]:
    if not np.isfinite(array).all():
        raise DataError(f"{name} holds NaN or infinity; {EXPECTED}")
    if array.min() < 0 or array.max() > 1:
        raise DataError(f"{name} holds floats {array.min():g} to {array.max():g}; {EXPECTED}")
    exact = array.astype(np.float64)
    level = np.rint(exact * GREY)
    off = np.abs(exact - level / GREY)
    if off.max() > TOLERANCE:
        value = exact.flat[off.argmax()]
        raise DataError(f"{name} holds {value:.9g}, which is no k/255; {EXPECTED}")
    return level.astype(np.uint8)


def image_shape(parts: Mapping[str, Array]) -> tuple[int, ...]:
    """Height and width of the images, and 3 if they have colours; all parts share them.

    Arrays are (images, height, width), (images, height, width, 3) or (images, pixels). Rows of a
    square number of pixels are taken as square images, so that figures can show them; others as
    images of one row.

    Raises:
        DataError: another number of axes, no images or no pixels, or parts that differ.
    """
    shapes = {}
    for name, array in parts.items():
        if array.ndim not in (2, 3, 4) or array.shape[3:] not in ((), (COLOURS,)):
            raise DataError(
                f"{name} has shape {array.shape}; expected (images, height, width), "
                "(images, height, width, 3) or (images, pixels)"
            )
        if 0 in array.shape:
            raise DataError(f"{name} has shape {array.shape}, which holds no image")
        shapes[name] = _shape_of_one(array.shape[1:])
    if len(set(shapes.values())) > 1:
        listed = ", ".join(f"{name} {by(shape)}" for name, shape in shapes.items())
        raise DataError(f"images of different sizes: {listed}")
    return shapes["train"]


def by(shape: Sequence[int]) -> str:
    """A shape for messages: 28 x 28."""
    return " x ".join(map(str, shape))


def _shape_of_one(shape: tuple[int, ...]) -> tuple[int, ...]:
    if len(shape) > 1:
        return shape
    side = math.isqrt(shape[0])
    return (side, side) if side * side == shape[0] else (1, shape[0])
