"""A data set that is a table: rows of numbers with a label each, and no images."""

import argparse
import itertools
from typing import Any

import numpy as np
from numpy.typing import NDArray

from elboflow.images.arrays import AnyArray
from elboflow.images.collection import collect_published
from elboflow.images.duplicates import count_duplicates, row_keys, told
from elboflow.images.errors import BadData
from elboflow.images.published import SPAMBASE_COLUMNS
from elboflow.images.session import Limits
from elboflow.images.sources import TABLE_SOURCES
from elboflow.images.splits import LEAST
from elboflow.images.streams import drawn_order
from elboflow.images.writing import write_data_set


def prepare_table(arguments: argparse.Namespace, limits: Limits) -> str:
    """Write rows and labels of each split into the output folder; return a line about them.

    The arrays are {split}.npy, float64 of shape (rows, columns), and {split}_labels.npy, uint8 of
    shape (rows,). A split that nobody asked for has no rows.
    """
    source = TABLE_SOURCES[arguments.source]
    table = collect_published(source, arguments.data_dir, arguments.mirrors, limits)["train"]
    rows = split_rows(
        len(table), arguments.test_images, arguments.validation_images, arguments.split_seed
    )
    values = {f"{name}.npy": table[chosen, :-1] for name, chosen in rows.items()}
    labels = {
        f"{name}_labels.npy": table[chosen, -1].astype(np.uint8) for name, chosen in rows.items()
    }
    facts: dict[str, Any] = {
        "dataset": arguments.dataset,
        "source": arguments.source,
        "origin": source.origin,
        "licence": source.licence,
        "columns": list(SPAMBASE_COLUMNS),
        "labels": ["no spam", "spam"],
        "split_seed": arguments.split_seed,
        "label_counts": {name: _label_counts(table[chosen, -1]) for name, chosen in rows.items()},
    }
    duplicates = count_duplicates(row_keys({name: table[rows[name]] for name in rows}))
    if duplicates:
        facts["duplicates"] = duplicates
    sizes = {name: len(chosen) for name, chosen in rows.items()}
    for note in itertools.chain(*told(duplicates, sizes, "rows")):
        print(f"{arguments.dataset}: {note}")
    digest = write_data_set(arguments.output_dir, values | labels, facts, items="rows")
    return (
        f"{arguments.dataset}: {len(rows['train'])} training, {len(rows['validation'])} "
        f"validation, {len(rows['test'])} test rows of {len(SPAMBASE_COLUMNS)} numbers, "
        f"sha256 {digest}"
    )


def split_rows(
    count: int, test: int | None, validation: int | None, seed: int
) -> dict[str, NDArray[np.intp]]:
    """Numbers of the rows of each split, drawn without replacement.

    Those of training stay in their published order. Fewer rows are always the first of the more.

    Raises:
        DataError: too few rows are asked for, or more than there are.
    """
    if test is None:
        raise BadData("has no test rows of its own; set test_images, which counts rows here")
    for name, wanted in (("test", test), ("validation", validation)):
        least, need = LEAST[name]
        if wanted is not None and wanted < least:
            raise BadData(f"{name}_images is {wanted}; {need}")
    held_out = test + (validation or 0)
    if held_out >= count:
        raise BadData(
            f"{count} rows cannot give {test} test and {validation or 0} validation rows and "
            "leave any for training; lower validation_images or test_images"
        )
    order = drawn_order(count, seed, "split")
    return {
        "train": np.sort(order[held_out:]),
        "validation": order[test:held_out],
        "test": order[:test],
    }


def _label_counts(labels: AnyArray) -> list[int]:
    """Rows of label 0 and of label 1."""
    return [int((labels == label).sum()) for label in (0, 1)]
