"""Images that a data set holds more than once, in one split or in two: counted, and told."""

from collections.abc import Mapping
from hashlib import blake2b
from typing import Any

import numpy as np
from numpy.typing import NDArray

from elboflow.images.errors import BadData

Keys = NDArray[np.bytes_]

BYTES = 16  # of the digest that stands for an image
LEAKS = (("test", "train"), ("validation", "train"), ("test", "validation"))
SPLIT_WORDS = {"train": "training"}


def row_keys(splits: Mapping[str, NDArray[Any]]) -> dict[str, Keys]:
    """Digests that stand for the images, or rows, of each split."""
    return {name: _keys(rows) for name, rows in splits.items()}


def _keys(rows: NDArray[Any]) -> Keys:
    digests = (blake2b(row, digest_size=BYTES).digest() for row in np.ascontiguousarray(rows))
    return np.fromiter(digests, f"S{BYTES}", len(rows))


def count_duplicates(keys: Mapping[str, Keys]) -> dict[str, int]:
    """How many images of one split are images of another, or repeat one of their own.

    Returns:
        Counts above 0 by `test_in_train`, `validation_in_train`, `test_in_validation`,
        `within_train`, `within_validation` and `within_test`.
    """
    counts = {f"{one}_in_{other}": np.isin(keys[one], keys[other]).sum() for one, other in LEAKS}
    for name, own in keys.items():
        counts[f"within_{name}"] = len(own) - len(np.unique(own))
    return {name: int(count) for name, count in counts.items() if count}


def refuse_contained(keys: Mapping[str, Keys]) -> None:
    """Raise DataError if all images of a split are in those before it: a test on them is none."""
    earlier = keys["train"]
    for name, others in (("validation", "training"), ("test", "training or validation")):
        if np.isin(keys[name], earlier).all():
            raise BadData(
                f"each of the {len(keys[name])} {name} images is among the {others} images as "
                "well; give each part images of its own"
            )
        earlier = np.concatenate([earlier, keys[name]])


def told(
    duplicates: Mapping[str, int], sizes: Mapping[str, int], items: str = "images"
) -> tuple[list[str], list[str]]:
    """Sentences about images that two splits share, and about those that one split repeats."""

    def of(name: str, count: int) -> str:
        return f"{count} of {sizes[name]} {SPLIT_WORDS.get(name, name)} {items}"

    shared = [
        f"{of(one, count)} are {SPLIT_WORDS.get(other, other)} {items} as well"
        for one, other in LEAKS
        if (count := duplicates.get(f"{one}_in_{other}"))
    ]
    repeated = [
        f"{of(name, count)} repeat another one of them"
        for name in sizes
        if (count := duplicates.get(f"within_{name}"))
    ]
    return shared, repeated
