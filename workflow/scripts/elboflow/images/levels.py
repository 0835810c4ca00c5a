"""From the numbers of a user's file to grey levels, or to a refusal."""

import math
from collections.abc import Mapping, Sequence

import numpy as np
from numpy.typing import NDArray

from elboflow.images.arrays import AnyArray
from elboflow.images.errors import BadData
from elboflow.images.own_files import printable
from elboflow.images.readers import EXPECTED_PIXELS

FLOAT32_LOSS = 1e-6  # many times what storing k/255 as float32 loses
BLACK_AND_WHITE, GREY = 1, 255  # levels above black
AT_ONCE = 10_000  # images
CHANNELS = 3  # red, green and blue


def to_levels(parts: Mapping[str, AnyArray]) -> tuple[dict[str, NDArray[np.uint8]], int]:
    """Grey levels of the arrays, and the highest level: 1 for black and white, else 255.

    Integers are levels as they are; floats are level / 255. Where all values of all parts are 0
    or 1 the images are black and white, however they are stored. Nothing is rounded away, clipped
    or rescaled.

    Raises:
        DataError: a value is not a grey level, or the parts do not mean the same by a number.
    """
    if all(_is_binary(array) for array in parts.values()):
        black_and_white = {name: _as_bytes(array) for name, array in parts.items()}
        return black_and_white, BLACK_AND_WHITE
    if len({array.dtype.kind == "f" for array in parts.values()}) > 1:
        raise BadData(f"some parts hold floats, others integers; {EXPECTED_PIXELS}")
    return {name: _grey(name, array) for name, array in parts.items()}, GREY


def _is_binary(array: AnyArray) -> bool:
    """Some images at a time: the array may be larger than memory."""
    pieces = (array[first : first + AT_ONCE] for first in range(0, len(array), AT_ONCE))
    return all(bool(np.all((piece == 0) | (piece == 1))) for piece in pieces)


def _as_bytes(array: AnyArray) -> NDArray[np.uint8]:
    """Without a copy of what is bytes already."""
    return array.astype(np.uint8, copy=False)


def _grey(name: str, array: AnyArray) -> NDArray[np.uint8]:
    """Levels 0 to 255 of one array that is not black and white."""
    if array.dtype.kind == "f":
        return _grey_of_floats(name, array)
    if array.min() < 0 or array.max() > GREY:
        raise BadData(f"{name} holds integers {array.min()} to {array.max()}; {EXPECTED_PIXELS}")
    return _as_bytes(array)


def _grey_of_floats(name: str, array: AnyArray) -> NDArray[np.uint8]:
    if not np.isfinite(array).all():
        raise BadData(f"{name} holds NaN or infinity; {EXPECTED_PIXELS}")
    if array.min() < 0 or array.max() > 1:
        raise BadData(f"{name} holds floats {array.min():g} to {array.max():g}; {EXPECTED_PIXELS}")
    exact = array.astype(np.float64)
    level = np.rint(exact * GREY)
    off = np.abs(exact - level / GREY)
    if off.max() > FLOAT32_LOSS:
        value = exact.flat[off.argmax()]
        raise BadData(f"{name} holds {value:.9g}, which is no k/255; {EXPECTED_PIXELS}")
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
        if len(shape) not in (2, 3, 4) or shape[3:] not in ((), (1,), (CHANNELS,)):
            raise BadData(
                f"{name} has shape {printable(str(shape))}; expected (images, height, width), "
                "(images, height, width, 3) or (images, pixels)"
            )
        if 0 in shape:
            raise BadData(f"{name} has shape {printable(str(shape))}, which holds no image")
        found[name] = _shape_of_one(shape[1:])
    if len(set(found.values())) > 1:
        listed = ", ".join(f"{name} {by(shape)}" for name, shape in found.items())
        raise BadData(f"images of different sizes: {listed}")
    _ask_about_one_image(shapes["train"])
    return found["train"]


def _ask_about_one_image(shape: tuple[int, ...]) -> None:
    """Raise DataError for what reads as images, but has the shape of a single one."""
    images, *sizes = shape
    if len(shape) == 2 and images == sizes[0] > 1:
        side = _shape_of_one((images,))
        raise BadData(
            f"train has shape {shape}: is it one grey image? A data set needs many of them. If it "
            f"is {images} images of {images} pixels, give it the shape {(images, *side)}"
        )
    if len(shape) == 3 and (
        (sizes[1] == 1 and images == sizes[0] > 1)
        or (sizes[1] in (CHANNELS, CHANNELS + 1) and min(shape[:2]) > sizes[1])
    ):
        kind = "grey image" if sizes[1] == 1 else "image in colour"
        raise BadData(
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
