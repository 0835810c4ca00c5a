"""The flags of fetch_data."""

import argparse
import os
from collections.abc import Callable, Sequence
from pathlib import Path
from typing import TypeVar

from elboflow.images.sources import PUBLISHED_SOURCES

Value = TypeVar("Value")

FLAGS = """
A flag that is given as an empty string counts as not given. Downloads are kept in
${XDG_CACHE_HOME:-~/.cache}/elboflow/data; a second call makes no request.
"""


def optional(convert: Callable[[str], Value]) -> Callable[[str], Value | None]:
    """A converter for a flag that may be given as an empty string, which means: not given."""

    def convert_if_any(text: str) -> Value | None:
        return convert(text) if text else None

    convert_if_any.__name__ = convert.__name__  # what argparse names in its messages
    return convert_if_any


def local_path(text: str) -> Path:
    """A path; ~ is the home folder here too, where no shell has seen the text."""
    expanded = os.path.expanduser(text)  # noqa: PTH111, since Path("./~x") is ~x
    if expanded == text and text.startswith("~"):  # no such user
        raise ValueError(text)
    return Path(expanded)


def seed(text: str) -> int:
    """A seed: one word of 64 bits."""
    value = int(text)
    if not 0 <= value < 2**64:
        raise ValueError(text)
    return value


def parse_flags(description: str | None, arguments: Sequence[str] | None) -> argparse.Namespace:
    """The command line; None is that of the process."""
    parser = argparse.ArgumentParser(description=description, epilog=FLAGS)
    _add_source(parser)
    _add_split(parser)
    parser.add_argument(
        "--output-dir", required=True, type=Path, help="folder for arrays and manifest.json"
    )
    return parser.parse_args(arguments)


def _add_source(parser: argparse.ArgumentParser) -> None:
    add = parser.add_argument
    add("--dataset", required=True, metavar="NAME", help="name of the data set, for the manifest")
    add(
        "--source",
        required=True,
        choices=["digits", *PUBLISHED_SOURCES, "file"],
        help="what to prepare",
    )
    add(
        "--path",
        type=optional(local_path),
        help="for --source file: an .npy, .npz (one array, or train, validation, test) or idx file "
        "of integers 0 to 255, booleans, or floats that are 0, 1 or k/255, in the shape (images, "
        "height, width), (images, height, width, 3) or (images, pixels); or a folder of PNG files",
    )
    add(
        "--sha256",
        type=optional(str),
        help="digest of the content of --path, as it was when the work was planned",
    )
    add(
        "--data-dir",
        type=optional(local_path),
        help="folder in which published files, packed or not, are looked for first",
    )
    add(
        "--mirrors",
        nargs="*",
        default=[],
        metavar="URL",
        help="addresses to download from, in order, instead of the known ones",
    )


def _add_split(parser: argparse.ArgumentParser) -> None:
    add = parser.add_argument
    add(
        "--validation-images",
        type=optional(int),
        metavar="N",
        help="images drawn from training for validation; what has a validation part may do without",
    )
    add(
        "--test-images",
        type=optional(int),
        metavar="N",
        help="images for the test, at least 2; without it a published test set is taken whole, "
        "fewer are a random choice of it",
    )
    add("--split-seed", required=True, type=seed, help="which images are drawn")
    add("--binarisation-seed", required=True, type=seed, help="which pixels are on")
