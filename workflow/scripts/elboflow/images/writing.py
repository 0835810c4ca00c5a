"""The folder of a data set: arrays, and the manifest that describes them."""

import hashlib
import json
from collections.abc import Mapping
from pathlib import Path
from typing import Any, BinaryIO

import numpy as np
from numpy.typing import NDArray

from elboflow.files.whole import whole, write_result


class Hashed:
    """A stream that takes the sha256 of what is written to it.

    And no file to NumPy, which would write to one in a way that tells no cause where it fails.
    """

    def __init__(self, stream: BinaryIO) -> None:
        self.stream, self.sha256 = stream, hashlib.sha256()

    def write(self, content: bytes) -> int:
        self.sha256.update(content)
        return self.stream.write(content)


def write_array(path: Path, array: NDArray[Any]) -> str:
    """Write `array` as .npy, whole or not at all, and return the sha256 of the file's bytes."""
    with whole(path, recorded=True) as file:
        stream = Hashed(file)
        # A fixed format version, so that the bytes do not follow NumPy's choice.
        np.lib.format.write_array(
            stream, np.ascontiguousarray(array), version=(1, 0), allow_pickle=False
        )
    return stream.sha256.hexdigest()


def write_data_set(
    folder: Path,
    arrays: Mapping[str, NDArray[Any]],
    facts: Mapping[str, Any],
    items: str = "images",
) -> str:
    """Write the arrays, then the manifest that describes them.

    An old manifest goes first and the new one comes last: where there is a manifest, its files
    are complete.

    Args:
        arrays: file name to array, whose first axis counts the items.
        facts: what the manifest says beside counts and digests of the files.
        items: what the manifest calls them.

    Returns:
        The sha256 of the manifest, which stands for all the files.
    """
    folder.mkdir(parents=True, exist_ok=True)
    manifest = folder / "manifest.json"
    manifest.unlink(missing_ok=True)
    files = {
        name: {items: len(array), "sha256": write_array(folder / name, array)}
        for name, array in arrays.items()
    }
    text = json.dumps({**facts, "files": files}, indent=2, sort_keys=True) + "\n"
    write_result(manifest, text.encode("ascii"))
    return hashlib.sha256(text.encode("ascii")).hexdigest()
