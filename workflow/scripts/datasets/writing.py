"""Files that are there whole or not at all, and the folder of a data set."""

import hashlib
import json
import os
import uuid
from collections.abc import Mapping
from pathlib import Path
from typing import Any

import numpy as np
from numpy.typing import NDArray


def write_bytes(path: Path, content: bytes) -> None:
    """Write `path` aside, sync it to disk and rename it, so that no one sees half of it."""
    aside = path.with_name(f".{path.name}.{uuid.uuid4().hex}.tmp")
    try:
        with aside.open("xb") as stream:
            stream.write(content)
            stream.flush()
            os.fsync(stream.fileno())
        aside.replace(path)
    finally:
        aside.unlink(missing_ok=True)


def write_array(path: Path, array: NDArray[Any]) -> str:
    """Write `array` as .npy, in the same way, and return the sha256 of the file's bytes."""
    aside = path.with_name(f".{path.name}.tmp")
    try:
        with aside.open("w+b") as stream:
            # A fixed format version, so that the bytes do not follow NumPy's choice.
            np.lib.format.write_array(
                stream, np.ascontiguousarray(array), version=(1, 0), allow_pickle=False
            )
            stream.flush()
            os.fsync(stream.fileno())
            stream.seek(0)
            digest = hashlib.file_digest(stream, "sha256").hexdigest()
        aside.replace(path)
    finally:
        aside.unlink(missing_ok=True)
    return digest


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
    write_bytes(manifest, text.encode("ascii"))
    return hashlib.sha256(text.encode("ascii")).hexdigest()
