"""Images out of a folder of PNG files, none of which is trusted."""

import hashlib
import io
import itertools
import math
import os
import warnings
from pathlib import Path

import numpy as np
from numpy.typing import NDArray
from PIL import Image, UnidentifiedImageError

from elboflow.images.errors import BadData
from elboflow.images.levels import BLACK_AND_WHITE, CHANNELS, GREY, by
from elboflow.images.own_files import (
    MOST_FILE_BYTES,
    MOST_PNG_BYTES,
    digest_line,
    png_files,
    printable,
    read_unchanged,
)

MOST_PIXELS = 1 << 24  # of one image; more is no image to be modelled, or a decompression bomb
BIT_DEPTH = 24  # where in a PNG file its number of bits a sample stands
GREY_FILE, COLOURED, GREY_IN_COLOURS = "grey", "in colour", "grey in colours"
EXPECTED_ALIKE = "expected images of one size, all grey or all in colour"

Pixels = NDArray[np.uint8]


def read_folder(folder: Path) -> tuple[dict[str, Pixels], str, list[str]]:
    """The images by part, in the order of the files' names, and a digest of all of them.

    Where no image of the folder has a colour, all are grey, however they are stored.

    Returns:
        Arrays of shape (images, height, width) or (images, height, width, 3), the sha256 of the
        files as in `own_files.content_sha256`, and what the user should know.

    Raises:
        DataError: there is anything but images of one kind and size; the message begins with the
            file's path in the folder.
    """
    parts = png_files(folder)
    pile, digest = Pile(sum(map(len, parts.values()))), hashlib.sha256()
    for path in itertools.chain.from_iterable(parts.values()):
        name = printable(os.path.relpath(path, folder))
        try:
            content = read_unchanged(path, MOST_PNG_BYTES)
            pile.add(name, read_png(content))
        except BadData as error:
            raise BadData(f"{name} {error}") from error
        digest.update(digest_line(folder, path, content))
    ends = np.cumsum([len(paths) for paths in parts.values()])[:-1]
    arrays = dict(zip(parts, np.split(pile.images, ends), strict=True))
    return arrays, digest.hexdigest(), pile.notes()


class Pile:
    """Images of one size, all grey or all in colour, one after another."""

    def __init__(self, count: int) -> None:
        self.count, self.place = count, 0
        self.images: Pixels = np.empty(0, np.uint8)
        self.first = ""  # its size is that of all
        self.kinds: dict[str, str] = {}  # the first of each kind
        self.converted = 0

    def add(self, name: str, image: Pixels) -> None:
        """Put one more image on the pile.

        Raises:
            DataError: it differs from the earlier ones; the message follows its name.
        """
        kind = _kind(image)
        if not self.place:
            self.first, self.images = name, _empty((self.count, *image.shape[:2]))
        self.kinds.setdefault(kind, name)
        self._refuse_other(by(image.shape[:2]), kind)
        self.converted += kind == GREY_IN_COLOURS
        self._store(image)

    def _refuse_other(self, size: str, kind: str) -> None:
        expected = by(self.images.shape[1:3])
        if size != expected:
            raise BadData(f"is {size}, but {self.first} is {expected}; {EXPECTED_ALIKE}")
        other = {GREY_FILE: COLOURED, COLOURED: GREY_FILE}.get(kind)
        if other in self.kinds:
            raise BadData(f"is {kind}, but {self.kinds[other]} is {other}; {EXPECTED_ALIKE}")

    def _store(self, image: Pixels) -> None:
        coloured = self.images.ndim == 4
        if COLOURED in self.kinds and not coloured:
            earlier = self.images[: self.place]
            self.images = _empty((*self.images.shape, CHANNELS))
            self.images[: self.place] = earlier[..., np.newaxis]
        elif not coloured and image.ndim == 3:
            image = image[..., 0]
        self.images[self.place] = image
        self.place += 1

    def notes(self) -> list[str]:
        """What is said once, of all files."""
        if COLOURED in self.kinds or not self.converted:
            return []
        files = f"{self.converted} of {self.count} files"
        return [f"{files} hold grey alone, stored in colours or a palette, and are read as grey"]


def _kind(image: Pixels) -> str:
    if image.ndim == 2:
        return GREY_FILE
    return COLOURED if (image[..., 1:] != image[..., :1]).any() else GREY_IN_COLOURS


def _empty(shape: tuple[int, ...]) -> Pixels:
    if math.prod(shape) > MOST_FILE_BYTES:
        raise BadData(f"makes {by(shape)} values, more than the {MOST_FILE_BYTES} that are read")
    try:
        return np.empty(shape, np.uint8)
    except MemoryError as error:
        raise BadData(f"makes {by(shape)} values, which do not fit into memory") from error


def read_png(content: bytes) -> Pixels:
    """The pixels of a PNG file: levels 0 to 255 of grey, or of red, green and blue.

    A palette is looked up. Colour profiles and gamma are not applied: levels are as stored.

    Raises:
        DataError: it is damaged, too large, transparent, animated or of 16 bits; the message
            follows the file's name.
    """
    try:
        with warnings.catch_warnings():
            warnings.simplefilter("ignore", Image.DecompressionBombWarning)
            with Image.open(io.BytesIO(content), formats=["PNG"]) as image:
                _refuse_unusual(image, content)
                image.load()
                return _pixels(image)
    except BadData:
        raise
    except UnidentifiedImageError as error:
        raise BadData("is no PNG file, or its header is damaged") from error
    except Image.DecompressionBombError as error:
        raise BadData(f"has more than {MOST_PIXELS} pixels") from error
    except MemoryError as error:
        raise BadData("does not fit into memory") from error
    # Damaged bytes make the parser raise exceptions of a dozen kinds.
    except Exception as error:
        reason = " ".join(str(error).split()) or type(error).__name__
        raise BadData(f"is damaged or truncated: {reason[:160]}") from error


def _refuse_unusual(image: Image.Image, content: bytes) -> None:
    """What the header says is checked before anything is unpacked."""
    if image.width * image.height > MOST_PIXELS:
        raise BadData(f"is {image.height} x {image.width}, more than {MOST_PIXELS} pixels")
    if content[BIT_DEPTH] > 8:
        raise BadData(f"has {content[BIT_DEPTH]} bits a sample; save it with 8")
    if getattr(image, "is_animated", False):
        raise BadData("is an animation; save single images")


def _pixels(image: Image.Image) -> Pixels:
    if image.has_transparency_data:
        alpha = np.asarray(image.convert("RGBA").getchannel("A"))
        if alpha.min() < 255:
            raise BadData("is transparent in places; put it on a background")
    grey = image.mode in ("1", "L", "LA")
    return np.asarray(image.convert("L" if grey else "RGB"))


def folder_levels(parts: dict[str, Pixels]) -> tuple[dict[str, Pixels], int]:
    """The levels above black: one where all pixels of all parts are black or white, else 255."""
    if all(((array == 0) | (array == GREY)).all() for array in parts.values()) and not any(
        array.shape[3:] == (CHANNELS,) for array in parts.values()
    ):
        return {name: array // GREY for name, array in parts.items()}, BLACK_AND_WHITE
    return parts, GREY
