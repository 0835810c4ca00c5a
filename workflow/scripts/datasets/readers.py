"""Arrays out of idx, .npy and .npz files, none of which is trusted.

The kind of a file is told from its first bytes, not from its name; each may be packed with gzip.
"""

import gzip
import io
import math
import struct
import zipfile
from pathlib import Path
from typing import Any, BinaryIO

import numpy as np
from numpy.typing import NDArray

from datasets.errors import DataError
from datasets.verify import GZIP_MAGIC

NPY_MAGIC = b"\x93NUMPY"
ZIP_MAGIC = b"PK"
IDX_MAGIC = b"\0\0"
IDX_TYPES = {0x08: ">u1", 0x09: ">i1", 0x0B: ">i2", 0x0C: ">i4", 0x0D: ">f4", 0x0E: ">f8"}

PARTS = ("train", "validation", "test")

Array = NDArray[Any]


def read_idx(stream: BinaryIO) -> Array:
    """The array of an idx file: a magic number, the big-endian lengths of its axes, the items.

    Raises:
        DataError: the header is not that of an idx file, or the items are too few or too many.
    """
    magic = stream.read(4)
    if len(magic) < 4 or magic[:2] != IDX_MAGIC or magic[2] not in IDX_TYPES or not magic[3]:
        raise DataError("not an idx file: its magic number is wrong")
    dtype, axes = np.dtype(IDX_TYPES[magic[2]]), magic[3]
    lengths = stream.read(4 * axes)
    if len(lengths) < 4 * axes:
        raise DataError("truncated: the idx header is not complete")
    shape = struct.unpack(f">{axes}I", lengths)
    size = math.prod(shape) * dtype.itemsize
    items = stream.read(size + 1)
    if len(items) != size:
        kind = "truncated" if len(items) < size else "too long"
        raise DataError(f"{kind}: the idx header {shape} asks for {size} bytes of items")
    return np.frombuffer(items, dtype).reshape(shape)


def _read_npy(stream: BinaryIO) -> Array:
    array: Array = np.lib.format.read_array(stream, allow_pickle=False)
    if stream.read(1):
        raise DataError("too long: there are bytes behind the array")
    return array


def _read_npz(stream: BinaryIO) -> dict[str, Array]:
    with zipfile.ZipFile(stream) as archive:
        names = [name.removesuffix(".npy") for name in archive.namelist()]
        known = set(names) <= set(PARTS) and "train" in names
        if not known and len(names) != 1:
            found = ", ".join(names) or "nothing"
            raise DataError(f"holds {found}; one array, or train with validation and test expected")
        arrays = {}
        for name, member in zip(names, archive.namelist(), strict=True):
            with archive.open(member) as opened:
                arrays[name] = _read_npy(io.BufferedReader(opened))  # type: ignore[type-var]
    return arrays if known else {"train": arrays[names[0]]}


def _read(stream: BinaryIO) -> dict[str, Array]:
    start = stream.read(6)
    stream.seek(0)
    if not start:
        raise DataError("empty")
    if start.startswith(NPY_MAGIC):
        return {"train": _read_npy(stream)}
    if start.startswith(ZIP_MAGIC):
        return _read_npz(stream)
    if start.startswith(IDX_MAGIC):
        return {"train": read_idx(stream)}
    raise DataError("neither .npy, .npz nor idx")


def read_parts(path: Path) -> dict[str, Array]:
    """The arrays of a file by part: "train", which is all there is unless the file says more.

    Raises:
        DataError: the file is missing, damaged, or nothing that holds plain arrays.
        OSError: it cannot be opened.
    """
    if not path.is_file():
        raise DataError("no such file")
    with path.open("rb") as stream:
        return _read_untrusted(stream)


def _read_untrusted(stream: BinaryIO) -> dict[str, Array]:
    try:
        packed = stream.read(2) == GZIP_MAGIC
        stream.seek(0)
        return _read(gzip.open(stream) if packed else stream)  # type: ignore[arg-type]
    except DataError:
        raise
    except MemoryError as error:
        raise DataError("does not fit into memory, or its header is damaged") from error
    # Damaged bytes make the parsers of gzip, zip and .npy raise exceptions of a dozen kinds.
    except Exception as error:
        reason = " ".join(str(error).split()) or type(error).__name__
        raise DataError(f"damaged, truncated or not plain numbers: {reason[:160]}") from error
