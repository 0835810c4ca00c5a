"""Prepare a data set: find or fetch it, verify, split, binarise and write it.

What is written depends on the arguments alone: the same bytes on every machine and at every run.
"""

import argparse
from collections.abc import Callable, Sequence
from pathlib import Path
from typing import TypeVar

from datasets.binarise import binarise
from datasets.collection import Collection, load_digits, load_file, load_published
from datasets.errors import DataError
from datasets.session import Limits
from datasets.sources import PUBLISHED
from datasets.splits import split
from datasets.writing import write_data_set

T = TypeVar("T")

FLAGS = """
A flag that is given as an empty string counts as not given. Downloads are kept in
${XDG_CACHE_HOME:-~/.cache}/elboflow/data; a second call makes no request.
"""


def optional(convert: Callable[[str], T]) -> Callable[[str], T | None]:
    """A converter for a flag that may be given as an empty string, which means: not given."""

    def convert_if_any(text: str) -> T | None:
        return convert(text) if text else None

    convert_if_any.__name__ = convert.__name__  # what argparse names in its messages
    return convert_if_any


def local_path(text: str) -> Path:
    """A path; ~ is the home folder here too, where no shell has seen the text."""
    return Path(text).expanduser()


def seed(text: str) -> int:
    """A seed: one word of 64 bits."""
    value = int(text)
    if not 0 <= value < 2**64:
        raise ValueError(text)
    return value


def parse(arguments: Sequence[str] | None = None) -> argparse.Namespace:
    """The command line."""
    parser = argparse.ArgumentParser(description=__doc__, epilog=FLAGS)
    add = parser.add_argument
    add("--dataset", required=True, metavar="NAME", help="name of the data set, for the manifest")
    add("--source", required=True, choices=["digits", *PUBLISHED, "file"], help="what to prepare")
    add(
        "--path",
        type=optional(local_path),
        help="the file of --source file: .npy, .npz (one array, or train, validation, test) or "
        "idx; integers 0 to 255, booleans, or floats that are 0, 1 or k/255; shape (images, "
        "height, width) or (images, pixels)",
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
    add(
        "--validation-images",
        type=optional(int),
        metavar="N",
        help="images drawn from training for validation; a file with a validation part may do "
        "without",
    )
    add(
        "--test-images",
        type=optional(int),
        metavar="N",
        help="images for the test; without it a published test set is taken whole, fewer are a "
        "random choice of it",
    )
    add("--split-seed", required=True, type=seed, help="which images are drawn")
    add("--binarisation-seed", required=True, type=seed, help="which pixels are on")
    add("--output-dir", required=True, type=Path, help="folder for arrays and manifest.json")
    return parser.parse_args(arguments)


def load(arguments: argparse.Namespace, limits: Limits) -> Collection:
    """The images of the source that the arguments name."""
    if arguments.source == "file" and not arguments.path:
        raise DataError("source file needs a path; set path to your file")
    if arguments.source != "file" and arguments.path:
        raise DataError(f"source {arguments.source} takes no path; remove it or use source file")
    if arguments.source == "digits":
        return load_digits()
    if arguments.source == "file":
        return load_file(arguments.path)
    return load_published(
        arguments.source, arguments.data_dir, [url for url in arguments.mirrors if url], limits
    )


def prepare(arguments: argparse.Namespace, limits: Limits) -> str:
    """Write the data set into the output folder and return a line about it."""
    collection = load(arguments, limits)
    counts = {"validation": arguments.validation_images, "test": arguments.test_images}
    splits = split(collection.parts, counts, arguments.split_seed)
    seed, levels = arguments.binarisation_seed, collection.levels
    arrays = {f"{name}.npy": images for name, images in splits.items()} | {
        f"{name}_binary.npy": binarise(splits[name], levels, seed, name)
        for name in ("validation", "test")
    }
    facts = {
        "dataset": arguments.dataset,
        "source": arguments.source,
        "origin": collection.origin,
        "licence": collection.licence,
        "image_shape": list(collection.image_shape),
        "levels": levels,
        "split_seed": arguments.split_seed,
        "binarisation_seed": seed,
    }
    digest = write_data_set(arguments.output_dir, arrays, facts)
    height, width = collection.image_shape
    return (
        f"{arguments.dataset}: {len(splits['train'])} training, "
        f"{len(splits['validation'])} validation, {len(splits['test'])} test images "
        f"of {height} x {width}, sha256 {digest}"
    )


def main(arguments: Sequence[str] | None = None, limits: Limits | None = None) -> None:
    """Prepare one data set; a mistake or a failure ends in one line."""
    parsed = parse(arguments)
    try:
        print(prepare(parsed, limits or Limits()))
    except DataError as error:
        raise SystemExit(f"data set {parsed.dataset}: {error}") from error
    except OSError as error:
        place = error.filename2 or error.filename or parsed.output_dir
        reason = f"{place} cannot be read or written: {error.strerror}"
        raise SystemExit(f"data set {parsed.dataset}: {reason}") from error


if __name__ == "__main__":
    main()
