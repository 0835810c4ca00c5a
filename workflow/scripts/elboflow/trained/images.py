"""Images as users have them, turned into what a model was trained on, or refused in one line.

N = images; H, W, C = height, width and colours of an image; D = H x W x C.
"""

from collections.abc import Callable, Iterable, Iterator
from numbers import Integral
from typing import Any

import numpy as np
import torch
from numpy.typing import NDArray
from torch import Tensor

from elboflow.images.binarise import binarise_split
from elboflow.vae.data import DataError, ImageShape

Array = NDArray[Any]
Values = Array | Tensor
Count = Callable[[int], None]  # is called with the number of images that are done

AT_ONCE = 1 << 22  # pixels that are looked at together
ROUNDING = 1e-6  # many times what storing level / levels as float32 loses


class Images:
    """A user's images, and how to give others back in their form.

    Args:
        given: a numpy array or tensor of shape (N, H, W), (N, H, W, C), (N, C, H, W) or (N, D).
        shape: of the images that the model was trained on.
        observes: what its likelihood observes: "binary", "unit" or "levels".
        binarisation_seed: of that data set.

    Raises:
        DataError: they are not such images.
    """

    def __init__(
        self, given: Values, shape: ImageShape, observes: str, binarisation_seed: int
    ) -> None:
        self.given, self.shape = given, shape
        array = as_array(given, "images")
        channels_first = (shape.channels, shape.height, shape.width)
        self.channels_first = array.shape[1:] == channels_first
        known = {*image_shapes(shape), channels_first}
        if len(array.shape) < 2 or len(array) == 0 or array.shape[1:] not in known:
            raise DataError(f"images of shape {array.shape}: {_wanted_shapes(array.shape, shape)}")
        if self.channels_first and channels_first in image_shapes(shape) and shape.channels > 1:
            raise DataError(
                f"images of shape {array.shape}: colours may be first or last in it; give them "
                f"last, in shape (N, {shape.pixels})"
            )
        rows = np.moveaxis(array, 1, -1) if self.channels_first else array
        rows = rows.reshape(len(array), shape.pixels)
        self.stored = as_stored(rows, shape, observes, binarisation_seed)

    def __len__(self) -> int:
        return len(self.stored)

    def like_given(self, values: Tensor) -> Values:
        """Other images (N, D) in the form of those given: kind, device and axes."""
        values = values.unflatten(1, (self.shape.height, self.shape.width, self.shape.channels))
        values = values.movedim(-1, 1) if self.channels_first else values
        return given_back(values.reshape(self.given.shape), self.given)


def given_back(values: Tensor, given: Values) -> Values:
    """Values as a tensor on the device of what was given, or as a numpy array like it."""
    return values.to(given.device) if isinstance(given, Tensor) else values.cpu().numpy()


def as_array(given: Values, name: str) -> Array:
    """Numbers that a user gave, as a numpy array.

    Raises:
        DataError: this is neither array nor tensor, or not of real numbers.
    """
    if isinstance(given, Tensor):
        given = given.detach().cpu()
        given = (given.float() if given.dtype == torch.bfloat16 else given).numpy()
    if not isinstance(given, np.ndarray):
        raise DataError(f"{name} of type {type(given).__name__}: give a numpy array or a tensor")
    if given.dtype.kind not in "buif":
        raise DataError(f"{name} of dtype {given.dtype}: give bool, integers or floats")
    return given


def image_shapes(shape: ImageShape) -> set[tuple[int, ...]]:
    """The shapes of one image, colours last."""
    size = (shape.height, shape.width)
    return {(*size, shape.channels), (shape.pixels,), *([size] if shape.channels == 1 else [])}


def as_stored(rows: Array, shape: ImageShape, observes: str, binarisation_seed: int) -> Array:
    """Rows (N, D) as a data set stores them: uint8 binary or levels; floats in [0, 1] stay so.

    bool is black and white, integers are levels 0 .. `shape.levels`, floats level / levels. For a
    binary model all that is only 0 and 1 is taken as it is, the rest is binarised once.

    Raises:
        DataError: values that are nothing of the kind.
    """
    wanted, levels, kind = wanted_values(shape, observes), shape.levels, rows.dtype.kind
    top = 1 if kind in "bf" else levels
    for piece in pieces(rows):
        low, high = piece.min(), piece.max()
        if not (low >= 0 and high <= top):
            raise DataError(f"images with values from {low} to {high}: {wanted}")
    if observes == "binary" and all(bool(((p == 0) | (p == 1)).all()) for p in pieces(rows)):
        return rows.astype(np.uint8)
    if observes == "unit" and kind == "f":
        return rows
    grey = np.empty(rows.shape, np.uint8)
    for piece, into in zip(pieces(rows), pieces(grey), strict=True):
        into[:] = _levels(piece, levels, wanted)
    return binarise_split(grey, levels, binarisation_seed, "test") if observes == "binary" else grey


def _levels(rows: Array, levels: int, wanted: str) -> Array:
    """Whole grey levels of rows that are in range."""
    if rows.dtype.kind in "ui":
        return rows
    scaled = rows.astype(np.float64) * levels
    whole = np.rint(scaled)
    off = np.abs(scaled - whole)
    if off.max() > ROUNDING * levels:
        value = rows.flat[off.argmax()]
        raise DataError(f"images with value {value}, which is no level / {levels}: {wanted}")
    return whole


def pieces(rows: Array) -> Iterator[Array]:
    """Consecutive rows of (N, D), few enough for a copy of them to be small."""
    count = max(1, AT_ONCE // rows.shape[1])
    return (rows[first : first + count] for first in range(0, len(rows), count))


def counted(pieces: Iterable[Tensor], progress: Count | None) -> Iterator[Tensor]:
    """Pieces (B, ...) of all images; when one is done, how many images are is told."""
    done = 0
    for piece in pieces:
        yield piece
        done += len(piece)
        if progress:
            progress(done)


def trained_on(shape: ImageShape, observes: str) -> str:
    """What a model was trained on, for readers."""
    if observes == "binary":
        return f"binary {_size(shape)}, drawn from levels 0 to {shape.levels}"
    return f"{_size(shape)} with levels 0 to {shape.levels}"


def wanted_values(shape: ImageShape, observes: str) -> str:
    """What the pixels of a model's images must be."""
    floats = "floats in [0, 1]" if observes == "unit" else f"floats level / {shape.levels}"
    kinds = f"bool, integers 0 to {shape.levels}, or {floats}"
    return f"the model was trained on {trained_on(shape, observes)}; give {kinds}"


def _wanted_shapes(found: tuple[int, ...], shape: ImageShape) -> str:
    colours = f", {shape.channels}" if shape.channels > 1 else ""
    told = f"(N, {shape.height}, {shape.width}{colours}) or (N, {shape.pixels})"
    hint = "; a single image is images[None]" if found in image_shapes(shape) else ""
    return f"the model was trained on {_size(shape)}; give shape {told}{hint}"


def _size(shape: ImageShape) -> str:
    colours = f" in {shape.channels} colours" if shape.channels > 1 else ""
    return f"images of {shape.height} x {shape.width} pixels{colours}"


def whole_number(name: str, value: int, least: int, most: int) -> int:
    if not isinstance(value, Integral) or isinstance(value, bool) or not least <= value <= most:
        raise DataError(f"{name}: {value!r} is no whole number from {least} to {most}")
    return int(value)
