"""Prepare a data set: find or fetch it, verify, split, binarise and write it.

What is written depends on the arguments alone: the same bytes on every machine and at every run.
"""

import argparse
import itertools
from collections.abc import Callable, Mapping, Sequence
from typing import Any

from elboflow.images.arrays import Images
from elboflow.images.binarise import binarise_split
from elboflow.images.collection import Collection, load_digits, load_file, load_published
from elboflow.images.command_line import parse_flags
from elboflow.images.duplicates import count_duplicates, refuse_contained, row_keys, told
from elboflow.images.errors import BadData
from elboflow.images.levels import by
from elboflow.images.session import Limits
from elboflow.images.sources import TABLE_SOURCES
from elboflow.images.splits import refuse_same, split
from elboflow.images.table import prepare_table
from elboflow.images.writing import write_data_set


def load_source(arguments: argparse.Namespace, limits: Limits) -> Collection:
    """The images of the source that the arguments name."""
    if arguments.source == "digits":
        return load_digits()
    if arguments.source == "file":
        return load_file(arguments.path, arguments.sha256, arguments.output_dir)
    return load_published(arguments.source, arguments.data_dir, arguments.mirrors, limits)


def prepare(arguments: argparse.Namespace, limits: Limits) -> str:
    """Write the data set into the output folder and return a line about it."""
    if arguments.source == "file" and not arguments.path:
        raise BadData("source file needs a path; set path to your file or folder")
    if arguments.source != "file" and arguments.path:
        raise BadData(f"source {arguments.source} takes no path; remove it or use source file")
    if arguments.source in TABLE_SOURCES:
        return prepare_table(arguments, limits)
    return prepare_images(arguments, limits)


def prepare_images(arguments: argparse.Namespace, limits: Limits) -> str:
    """Write grey or colour images by split, and the frozen binary ones of validation and test."""
    collection = load_source(arguments, limits)
    counts = {"validation": arguments.validation_images, "test": arguments.test_images}
    splits = split(collection.parts, counts, arguments.split_seed)
    seed, levels = arguments.binarisation_seed, collection.levels
    frozen = {
        f"{name}_binary": binarise_split(splits[name], levels, seed, name)
        for name in ("validation", "test")
    }
    refuse_same(splits)
    refuse_same(frozen)
    sizes = {name: len(images) for name, images in splits.items()}
    keys = row_keys(splits)
    refuse_contained(keys)
    duplicates = count_duplicates(keys)
    arrays = {f"{name}.npy": images for name, images in (splits | frozen).items()}
    facts = facts_of(arguments, collection)
    if duplicates:
        facts["duplicates"] = duplicates
    notes = [*collection.notes, *itertools.chain(*told(duplicates, sizes))]
    if arguments.source == "file" and 2 * (highest := highest_level(splits)) < levels:
        facts["highest_level"] = highest
        notes.append(
            f"no value is above {highest} of {levels}: dark images, or levels that end at "
            f"{highest}; of these store {levels} / {highest} times as much"
        )
    digest = write_data_set(arguments.output_dir, arrays, facts)
    for note in notes:
        print(f"{arguments.dataset}: {note}")
    return (
        f"{arguments.dataset}: {sizes['train']} training, "
        f"{sizes['validation']} validation, {sizes['test']} test images "
        f"of {by(collection.image_shape)}, sha256 {digest}"
    )


def facts_of(arguments: argparse.Namespace, collection: Collection) -> dict[str, Any]:
    """What the manifest says of any data set."""
    return {
        "dataset": arguments.dataset,
        "source": arguments.source,
        "origin": collection.origin,
        "licence": collection.licence,
        "image_shape": list(collection.image_shape),
        "levels": collection.levels,
        "split_seed": arguments.split_seed,
        "binarisation_seed": arguments.binarisation_seed,
    }


def highest_level(splits: Mapping[str, Images]) -> int:
    return max(int(images.max()) for images in splits.values())


def main(
    arguments: Sequence[str] | None = None,
    limits: Limits | None = None,
    prepare: Callable[[argparse.Namespace, Limits], str] = prepare,
) -> None:
    """Prepare one data set, or what `prepare` makes of it; a failure ends in one line."""
    parsed = parse_flags(__doc__, arguments)
    try:
        print(prepare(parsed, limits or Limits()))
    except BadData as error:
        raise SystemExit(f"data set {parsed.dataset}: {error}") from error
    except MemoryError as error:
        raise SystemExit(
            f"data set {parsed.dataset}: does not fit into memory; store integers of 8 bits, or "
            "fewer images"
        ) from error
    except OSError as error:
        place = error.filename2 or error.filename or parsed.output_dir
        raise SystemExit(
            f"data set {parsed.dataset}: {place} cannot be read or written "
            f"({error.strerror or error}); make room, correct the path or its permissions, "
            "and run again"
        ) from error
