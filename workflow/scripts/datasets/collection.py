"""The images of each source, as the source publishes them."""

import hashlib
from collections.abc import Sequence
from dataclasses import dataclass
from pathlib import Path

import numpy as np

from datasets.download import check_mirrors
from datasets.errors import DataError
from datasets.levels import image_shape, to_levels
from datasets.locate import find
from datasets.readers import read_parts
from datasets.session import Limits
from datasets.sources import (
    DIGITS_LICENCE,
    DIGITS_ORIGIN,
    DIGITS_SHA256,
    PUBLISHED,
    PublishedFile,
)
from datasets.splits import Images, refuse_same


@dataclass(frozen=True)
class Collection:
    """Images as their source publishes them, by part; each part has shape (images, pixels)."""

    parts: dict[str, Images]
    image_shape: tuple[int, int]
    levels: int
    origin: str
    licence: str


def load_digits() -> Collection:
    """The 1797 digits of 8 x 8 pixels, levels 0 to 16, that come with scikit-learn."""
    from sklearn import datasets as embedded  # a second to import, and only needed here

    images = embedded.load_digits().data.astype(np.uint8)
    if (found := hashlib.sha256(images.tobytes()).hexdigest()) != DIGITS_SHA256:
        raise DataError(
            f"scikit-learn's digits have sha256 {found}, expected {DIGITS_SHA256}; "
            "install the scikit-learn of requirements.txt"
        )
    return Collection({"train": images}, (8, 8), 16, DIGITS_ORIGIN, DIGITS_LICENCE)


def load_published(
    name: str, data_dir: Path | None, mirrors: Sequence[str], limits: Limits
) -> Collection:
    """A data set that is published as idx files of 28 x 28 pixels, levels 0 to 255."""
    source = PUBLISHED[name]
    check_mirrors(mirrors)
    if data_dir and not data_dir.is_dir():
        raise DataError(f"data_dir {data_dir} is not a folder; correct or remove it")

    def images(file: PublishedFile) -> Images:
        content = find(file, source, data_dir, mirrors, limits)
        return np.frombuffer(content, np.uint8, offset=16).reshape(-1, 28 * 28)

    parts = {"train": images(source.train), "test": images(source.test)}
    return Collection(parts, (28, 28), 255, source.origin, source.licence)


def load_file(path: Path) -> Collection:
    """A file of the user's own; see the modules readers and levels for what it may hold."""
    try:
        arrays = read_parts(path)
        shape = image_shape(arrays)
        grey, levels = to_levels(arrays)
        parts = {name: array.reshape(len(array), -1) for name, array in grey.items()}
        refuse_same(parts)
    except DataError as error:
        raise DataError(f"{path}: {error}") from error
    with path.open("rb") as stream:
        digest = hashlib.file_digest(stream, "sha256").hexdigest()
    origin = f"own file {path.name}, sha256 {digest}"
    return Collection(parts, shape, levels, origin, "not stated (own file)")
