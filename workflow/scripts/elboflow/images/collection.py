"""The images of each source, as the source publishes them."""

import hashlib
from collections.abc import Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import numpy as np
from numpy.typing import NDArray

from elboflow.images.arrays import AnyArray, Images
from elboflow.images.download import check_mirrors
from elboflow.images.errors import BadData
from elboflow.images.levels import image_shape, to_levels
from elboflow.images.locate import find
from elboflow.images.mapped import mapped_copy
from elboflow.images.own_files import MOST_FILE_BYTES, printable, read_unchanged, refuse_unusual
from elboflow.images.png_folder import folder_levels, read_folder
from elboflow.images.readers import place_to_map, read_parts
from elboflow.images.session import Limits
from elboflow.images.sources import (
    DIGITS_LICENCE,
    DIGITS_ORIGIN,
    DIGITS_SHA256,
    PUBLISHED_SOURCES,
    PublishedSource,
)
from elboflow.images.splits import refuse_same


@dataclass(frozen=True)
class Collection:
    """Images as their source publishes them, by part; each part has shape (images, pixels)."""

    parts: dict[str, Images]
    image_shape: tuple[int, ...]
    levels: int
    origin: str
    licence: str
    notes: Sequence[str] = ()  # what the user should know of how it was read


def load_digits() -> Collection:
    """The 1797 digits of 8 x 8 pixels, levels 0 to 16, that come with scikit-learn."""
    from sklearn import datasets as embedded  # a second to import, and only needed here

    images = embedded.load_digits().data.astype(np.uint8)
    if (found := hashlib.sha256(images.tobytes()).hexdigest()) != DIGITS_SHA256:
        raise BadData(
            f"scikit-learn's digits have sha256 {found}, expected {DIGITS_SHA256}; "
            "install the scikit-learn of requirements.txt"
        )
    return Collection({"train": images}, (8, 8), 16, DIGITS_ORIGIN, DIGITS_LICENCE)


def load_published(
    name: str, data_dir: Path | None, mirrors: Sequence[str], limits: Limits
) -> Collection:
    """A data set of images of 28 x 28 pixels that is published."""
    source = PUBLISHED_SOURCES[name]
    parts = collect_published(source, data_dir, mirrors, limits)
    return Collection(parts, (28, 28), source.levels, source.origin, source.licence)


def collect_published(
    source: PublishedSource, data_dir: Path | None, mirrors: Sequence[str], limits: Limits
) -> dict[str, NDArray[Any]]:
    """The arrays of a published data set by part, out of verified files."""
    mirrors = [mirror for mirror in mirrors if mirror]
    check_mirrors(mirrors)
    if data_dir and not data_dir.is_dir():
        raise BadData(f"data_dir {data_dir} is not a folder; correct or remove it")

    return source.read(
        {part: find(file, source, data_dir, mirrors, limits) for part, file in source.files.items()}
    )


def load_file(path: Path, sha256: str | None = None, room: Path = Path()) -> Collection:
    """Images of the user's own: a file (see the modules readers and levels) or a folder of PNGs.

    Args:
        sha256: the digest of its content when the work was planned, where that is known.
        room: a folder for the copy of what is too large for memory.
    """
    try:
        refuse_unusual(path)
        collection, found = _own_folder(path) if path.is_dir() else _own_file(path, room)
        if sha256 and found != sha256:
            raise BadData("changed after the work was planned; run again when nothing writes to it")
    except BadData as error:
        raise BadData(f"{printable(path)}: {error}") from error
    return collection


def _own_file(path: Path, room: Path) -> tuple[Collection, str]:
    arrays: dict[str, AnyArray]
    if place := place_to_map(path):
        arrays = {}
        arrays["train"], digest = mapped_copy(path, *place, room)
    else:
        content = read_unchanged(path, MOST_FILE_BYTES)
        arrays, digest = read_parts(content), hashlib.sha256(content).hexdigest()
    shape = image_shape({name: array.shape for name, array in arrays.items()})
    origin = f"own file {printable(path.name)}, sha256 {digest}"
    return _own(*to_levels(arrays), shape, origin), digest


def _own_folder(path: Path) -> tuple[Collection, str]:
    arrays, digest, notes = read_folder(path)
    files = sum(map(len, arrays.values()))
    name = printable(path.resolve().name)
    origin = f"own folder {name} of {files} PNG files, sha256 {digest}"
    return _own(*folder_levels(arrays), arrays["train"].shape[1:], origin, notes), digest


def _own(
    arrays: dict[str, Images],
    levels: int,
    shape: tuple[int, ...],
    origin: str,
    notes: Sequence[str] = (),
) -> Collection:
    parts = {name: array.reshape(len(array), -1) for name, array in arrays.items()}
    refuse_same(parts)
    return Collection(parts, shape, levels, origin, "not stated (own file)", notes)
