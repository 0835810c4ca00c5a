"""From the numbers of a user's file to grey levels, or to a refusal."""

import math
from collections.abc import Mapping, Sequence

import numpy as np
from numpy.typing import NDArray

from elboflow.images.errors import DataError
from elboflow.images.own_files import printable
from elboflow.images.readers import EXPECTED, Array

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


def image_shape(shapes: Mapping[str, tuple[int, ...]]) -> tuple[int, ...]:
    """Height and width of the images, and 3 if they have colours; all parts share them.

    Arrays are (images, height, width), (images, height, width, 3) or (images, pixels); a last axis
    of 1, as in (images, height, width, 1), may follow grey ones. Rows of a square number of pixels
    are taken as square images, so that figures can show them; others as images of one row.

    Raises:
        DataError: another number of axes, no images or no pixels, parts that differ, or what is
            rather a single image.
    """
    found = {}
    for name, shape in shapes.items():
        if len(shape) not in (2, 3, 4) or shape[3:] not in ((), (1,), (COLOURS,)):
            raise DataError(
                f"{name} has shape {printable(str(shape))}; expected (images, height, width), "
                "(images, height, width, 3) or (images, pixels)"
            )
        if 0 in shape:
            raise DataError(f"{name} has shape {printable(str(shape))}, which holds no image")
        found[name] = _shape_of_one(shape[1:])
    if len(set(found.values())) > 1:
        listed = ", ".join(f"{name} {by(shape)}" for name, shape in found.items())
        raise DataError(f"images of different sizes: {listed}")
    _ask_about_one_image(shapes["train"])
    return found["train"]


def _ask_about_one_image(shape: tuple[int, ...]) -> None:
    """Raise DataError for what reads as images, but has the shape of a single one."""
    images, *sizes = shape
    if len(shape) == 2 and images == sizes[0] > 1:
        side = _shape_of_one((images,))
        raise DataError(
            f"train has shape {shape}: is it one grey image? A data set needs many of them. If it "
            f"is {images} images of {images} pixels, give it the shape {(images, *side)}"
        )
    if len(shape) == 3 and (
        (sizes[1] == 1 and images == sizes[0] > 1)
        or (sizes[1] in (COLOURS, COLOURS + 1) and min(shape[:2]) > sizes[1])
    ):
        kind = "grey image" if sizes[1] == 1 else "image in colour"
        raise DataError(
            f"train has shape {shape}: is it one {kind}? A data set needs many of them. "
            f"If it is {images} grey images of {by(sizes)}, give it the shape {(*shape, 1)}"
        )


def by(shape: Sequence[int]) -> str:
    """A shape for messages: 28 x 28."""
    return " x ".join(map(str, shape))


def _shape_of_one(shape: tuple[int, ...]) -> tuple[int, ...]:
    if len(shape) > 1:
        return shape[: 2 if shape[2:] == (1,) else 3]
    side = math.isqrt(shape[0])
    return (side, side) if side * side == shape[0] else (1, shape[0])
