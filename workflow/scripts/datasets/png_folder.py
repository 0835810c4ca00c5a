"""Images out of a folder of PNG files, none of which is trusted."""

import hashlib
import io
import warnings
from collections.abc import Sequence
from pathlib import Path

import numpy as np
from numpy.typing import NDArray
from PIL import Image, UnidentifiedImageError

from datasets.errors import DataError
from datasets.levels import BLACK_AND_WHITE, COLOURS, GREY, by
from datasets.readers import PARTS

MOST_PIXELS = 1 << 24  # of one image; more is no image to be modelled, or a decompression bomb
BIT_DEPTH = 24  # where in a PNG file its number of bits a sample stands
EXPECTED = "expected PNG files, or folders train, validation and test of them"

Pixels = NDArray[np.uint8]


def read_folder(folder: Path) -> tuple[dict[str, Pixels], str]:
    """The images by part, in the order of the files' names, and a digest of all of them.

    Returns:
        Arrays of shape (images, height, width) or (images, height, width, 3), and the sha256 over
        lines of sha256, two blanks and the file's path in the folder.

    Raises:
        DataError: there is anything but images of one kind and size; the message begins with the
            file's path in the folder.
    """
    parts, first, lines = {}, None, []
    for part, paths in png_files(folder).items():
        parts[part], digests, first = _read_all(folder, paths, first)
        lines += digests
    return parts, hashlib.sha256("".join(lines).encode()).hexdigest()


def png_files(folder: Path) -> dict[str, list[Path]]:
    """The files of each part, sorted by name. Hidden files (.DS_Store) are passed over."""
    entries = _entries(folder)
    if not any(entry.is_dir() and entry.name in PARTS for entry in entries):
        parts = {"train": entries}
    else:
        for entry in entries:
            if not entry.is_dir() or entry.name not in PARTS:
                raise DataError(f"{entry.name} lies beside folders of images; {EXPECTED}")
        parts = {name: _entries(folder / name) for name in PARTS if (folder / name).is_dir()}
    if "train" not in parts:
        raise DataError(f"there is no folder train; {EXPECTED}")
    for part, paths in parts.items():
        for path in paths:
            if path.suffix.lower() != ".png" or not path.is_file():
                raise DataError(f"{path.relative_to(folder)} is no PNG file; {EXPECTED}")
        if not paths:
            where = "the folder" if paths is entries else f"the folder {part}"
            raise DataError(f"{where} is empty; {EXPECTED}")
    return parts


def _entries(folder: Path) -> list[Path]:
    return sorted(path for path in folder.iterdir() if not path.name.startswith("."))


def _read_all(
    folder: Path, paths: Sequence[Path], first: tuple[str, tuple[int, ...]] | None
) -> tuple[Pixels, list[str], tuple[str, tuple[int, ...]]]:
    """The images of one part, lines for the digest, and name and shape that all must have."""
    images, lines = None, []
    for place, path in enumerate(paths):
        name, content = str(path.relative_to(folder)), path.read_bytes()
        try:
            image = read_png(content)
        except DataError as error:
            raise DataError(f"{name} {error}") from error
        first = first or (name, image.shape)
        if image.shape != first[1]:
            raise DataError(
                f"{name} is {_kind(image.shape)}, but {first[0]} is {_kind(first[1])}; "
                "expected images of one size, all grey or all in colour"
            )
        if images is None:
            images = _empty((len(paths), *image.shape))
        images[place] = image
        lines.append(f"{hashlib.sha256(content).hexdigest()}  {name}\n")
    assert images is not None and first is not None  # there is at least one path
    return images, lines, first


def _empty(shape: tuple[int, ...]) -> Pixels:
    try:
        return np.empty(shape, np.uint8)
    except MemoryError as error:
        raise DataError(f"{by(shape)} values do not fit into memory") from error


def _kind(shape: tuple[int, ...]) -> str:
    return f"{by(shape[:2])} {'in colour' if shape[2:] else 'grey'}"


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
    except DataError:
        raise
    except UnidentifiedImageError as error:
        raise DataError("is no PNG file, or its header is damaged") from error
    except MemoryError as error:
        raise DataError("does not fit into memory") from error
    # Damaged bytes make the parser raise exceptions of a dozen kinds.
    except Exception as error:
        reason = " ".join(str(error).split()) or type(error).__name__
        raise DataError(f"is damaged or truncated: {reason[:160]}") from error


def _refuse_unusual(image: Image.Image, content: bytes) -> None:
    """What the header says is checked before anything is unpacked."""
    if image.width * image.height > MOST_PIXELS:
        raise DataError(f"is {image.height} x {image.width}, more than {MOST_PIXELS} pixels")
    if content[BIT_DEPTH] > 8:
        raise DataError(f"has {content[BIT_DEPTH]} bits a sample; save it with 8")
    if getattr(image, "is_animated", False):
        raise DataError("is an animation; save single images")


def _pixels(image: Image.Image) -> Pixels:
    if image.has_transparency_data:
        alpha = np.asarray(image.convert("RGBA").getchannel("A"))
        if alpha.min() < 255:
            raise DataError("is transparent in places; put it on a background")
    grey = image.mode in ("1", "L", "LA")
    return np.asarray(image.convert("L" if grey else "RGB"))


def folder_levels(parts: dict[str, Pixels]) -> tuple[dict[str, Pixels], int]:
    """The levels above black: one where all pixels of all parts are black or white, else 255."""
    if all(((array == 0) | (array == GREY)).all() for array in parts.values()) and not any(
        array.shape[3:] == (COLOURS,) for array in parts.values()
    ):
        return {name: array // GREY for name, array in parts.items()}, BLACK_AND_WHITE
    return parts, GREY
