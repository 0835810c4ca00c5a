"""The test images of data sets, and their labels."""

import json
from collections.abc import Sequence
from pathlib import Path

import numpy as np

from elboflow.reading.errors import InputError


def read_test_images(manifests: Sequence[str | Path], dataset: str, name: str) -> np.ndarray:
    """An array of a data set, mapped into memory, shape (N, D).

    Args:
        manifests: of all data sets.
        name: `test`, grey levels, or `test_binary`.

    Raises:
        InputError: the file is missing or damaged.
    """
    (folder,) = {Path(path).parent for path in manifests if Path(path).parent.name == dataset}
    return _load(folder / f"{name}.npy", 2)


def read_labels(paths: Sequence[str | Path]) -> dict[str, tuple[np.ndarray, list[str]]]:
    """Labels of the test images, shape (N,), and the names of classes, by data set.

    Args:
        paths: the labels.json of each data set that has labels.

    Raises:
        InputError: a file is damaged.
    """
    found = {}
    for path in map(Path, paths):
        try:
            classes = json.loads(path.read_text(encoding="utf-8"))["classes"]
        except (ValueError, KeyError, TypeError) as error:
            raise InputError(f"{path}: damaged ({error}); delete it and run again") from None
        labels = _load(path.parent / "test_labels.npy", 1)
        if not classes:  # nowhere to be found when the data were fetched
            continue
        if labels.max(initial=0) >= len(classes):
            raise InputError(f"{path}: too few names of classes; delete the file and run again")
        found[path.parent.name] = labels, list(map(str, classes))
    return found


def _load(path: Path, axes: int) -> np.ndarray:
    try:
        array = np.load(path, mmap_mode="r", allow_pickle=False)
    except (OSError, EOFError, ValueError) as error:
        raise InputError(f"{path}: unreadable ({error}); delete the file and run again") from None
    if not isinstance(array, np.ndarray) or array.ndim != axes or array.dtype != np.uint8:
        raise InputError(f"{path}: not what fetch_data writes; delete the file and run again")
    return array
