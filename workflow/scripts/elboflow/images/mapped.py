"""The user's own array that is too large for memory: copied once, and mapped from there.

The copy has no name and ends with the process. Whoever writes to the file while it is split changes
nothing that was checked.
"""

import hashlib
import os
import tempfile
from pathlib import Path

import numpy as np
from numpy.typing import NDArray

from elboflow.images.errors import BadData
from elboflow.images.own_files import identity
from elboflow.images.readers import Header

CHUNK = 1 << 24  # bytes at once


def mapped_copy(
    path: Path, header: Header, start: int, folder: Path
) -> tuple[NDArray[np.uint8], str]:
    """The items of a file, mapped into memory, and the sha256 of the file.

    Args:
        start: where in the file its items begin.
        folder: whose disk has room for the copy.

    Raises:
        DataError: the file changed while it was copied.
    """
    folder.mkdir(parents=True, exist_ok=True)
    digest = hashlib.sha256()
    with path.open("rb") as stream, tempfile.TemporaryFile(dir=folder) as copy:
        before = os.fstat(stream.fileno())
        while content := stream.read(CHUNK):
            digest.update(content)
            copy.write(content)
        if copy.tell() != before.st_size or identity(path.stat()) != identity(before):
            raise BadData("changed while it was read; run again when nothing writes to it")
        copy.flush()
        mapped = np.memmap(copy, np.uint8, "r+", start, header.shape)
    return mapped, digest.hexdigest()


def keep_rows(rows: NDArray[np.uint8], kept: NDArray[np.intp]) -> NDArray[np.uint8]:
    """Some rows, in rising order; those of a mapped copy move forward in it, and need no memory."""
    if not isinstance(rows, np.memmap):
        return rows[kept]
    most = max(CHUNK // rows.shape[1], 1)
    for first in range(0, len(kept), most):
        # None is overwritten before it was read: a row only ever moves to a place before its own.
        rows[first : first + most] = rows[kept[first : first + most]]
    return rows[: len(kept)]
