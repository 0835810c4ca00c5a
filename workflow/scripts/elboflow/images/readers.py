"""Arrays out of idx, .npy and .npz files, none of which is trusted.

The kind of a file is told from its first bytes, not from its name; each may be packed with gzip.
What the header says is checked before anything is read or unpacked.
"""

import gzip
import io
import math
import struct
import zipfile
from collections.abc import Callable
from dataclasses import dataclass
from pathlib import Path
from typing import IO, Any, TypeVar

import numpy as np

from elboflow.images.arrays import AnyArray
from elboflow.images.errors import BadData
from elboflow.images.own_files import (
    MOST_FILE_BYTES,
    PART_FOLDERS,
    printable,
    refuse_large,
    refuse_unusual,
)
from elboflow.images.verify import GZIP_MAGIC

NPY_MAGIC = b"\x93NUMPY"
ZIP_MAGIC = b"PK"
IDX_MAGIC = b"\0\0"
IDX_TYPES = {0x08: ">u1", 0x09: ">i1", 0x0B: ">i2", 0x0C: ">i4", 0x0D: ">f4", 0x0E: ">f8"}
NPY_HEADERS = {
    (1, 0): np.lib.format.read_array_header_1_0,
    (2, 0): np.lib.format.read_array_header_2_0,
}
MAPPED_FROM = 1 << 29  # bytes of a file from which on it is not read as a whole if it can be mapped
MOST_MAPPED_BYTES = 1 << 40  # of such a file
EXPECTED_PIXELS = "expected integers 0 to 255, booleans, or floats that are 0, 1 or k/255"

Found = TypeVar("Found")


@dataclass(frozen=True)
class Header:
    """What a file says of an array before its items."""

    shape: tuple[int, ...]
    dtype: np.dtype[Any]
    fortran: bool = False

    @property
    def size(self) -> int:
        """Bytes of the items."""
        return math.prod(self.shape) * self.dtype.itemsize


Take = Callable[[IO[bytes], Header], Found]


def _read_idx_header(stream: IO[bytes]) -> Header:
    """An idx file's: a magic number, and the big-endian lengths of its axes.

    Raises:
        DataError: it is not that of an idx file.
    """
    magic = stream.read(4)
    if len(magic) < 4 or magic[:2] != IDX_MAGIC or magic[2] not in IDX_TYPES or not magic[3]:
        raise BadData("not an idx file: its magic number is wrong")
    lengths = stream.read(4 * magic[3])
    if len(lengths) < 4 * magic[3]:
        raise BadData("truncated: the idx header is not complete")
    return Header(struct.unpack(f">{magic[3]}I", lengths), np.dtype(IDX_TYPES[magic[2]]))


def _read_npy_header(stream: IO[bytes]) -> Header:
    version = np.lib.format.read_magic(stream)
    if version not in NPY_HEADERS:
        raise BadData(f"is of .npy version {version}, which plain numbers do not need")
    shape, fortran, dtype = NPY_HEADERS[version](stream)
    return Header(shape, dtype, fortran)


def _read_items(stream: IO[bytes], header: Header) -> AnyArray:
    """The array behind a header, which must end where the file ends."""
    items = stream.read(header.size + 1)
    if len(items) != header.size:
        raise _wrong_length(header, len(items))
    flat = np.frombuffer(items, header.dtype)
    return flat.reshape(header.shape, order="F" if header.fortran else "C")


def _wrong_length(header: Header, size: int) -> BadData:
    kind = "truncated" if size < header.size else "too long"
    shape = printable(str(header.shape))
    return BadData(f"{kind}: the header {shape} asks for {header.size} bytes of items")


def _only_header(_: IO[bytes], header: Header) -> Header:
    """The header alone."""
    return header


def _place(stream: IO[bytes], header: Header) -> tuple[Header, int]:
    """The header, and where the items begin."""
    return header, stream.tell()


def _checked(part: str, header: Header, most: int = MOST_FILE_BYTES) -> Header:
    shape = printable(str(header.shape))
    if header.dtype.kind not in "buif":
        raise BadData(f"{part} holds {printable(str(header.dtype))}; {EXPECTED_PIXELS}")
    if min(header.shape, default=0) < 0:
        raise BadData(f"{part} has the shape {shape}; its header is damaged")
    if header.size > most:
        raise BadData(f"{part} has the shape {shape}, more than the {most} bytes that are read")
    return header


def _read_npz(stream: IO[bytes], take: Take[Found]) -> dict[str, Found]:
    with zipfile.ZipFile(stream) as archive:
        members = archive.namelist()
        names = [name.removesuffix(".npy") for name in members]
        known = set(names) <= set(PART_FOLDERS) and "train" in names
        if len(names) != 1 and not (known and len(set(names)) == len(names)):
            held = printable(", ".join(names)) or "nothing"
            raise BadData(f"holds {held}; one array, or train with validation and test expected")
        found: dict[str, Found] = {}
        for name, member in zip(names, members, strict=True):
            with archive.open(member) as opened:
                part = name if known else "train"
                found[part] = take(opened, _checked(part, _read_npy_header(opened)))
    return found


def _read(stream: IO[bytes], take: Take[Found], most: int) -> dict[str, Found]:
    start = stream.read(6)
    stream.seek(0)
    if not start:
        raise BadData("empty")
    if start.startswith(NPY_MAGIC):
        return {"train": take(stream, _checked("train", _read_npy_header(stream), most))}
    if start.startswith(ZIP_MAGIC):
        return _read_npz(stream, take)
    if start.startswith(IDX_MAGIC):
        return {"train": take(stream, _checked("train", _read_idx_header(stream)))}
    raise BadData("neither .npy, .npz nor idx")


def read_parts(content: bytes) -> dict[str, AnyArray]:
    """The arrays of a file by part: "train", which is all there is unless the file says more.

    Raises:
        DataError: the file is damaged, or nothing that holds plain arrays.
    """
    return _read_untrusted(io.BytesIO(content), _read_items)


def read_headers(path: Path) -> dict[str, Header]:
    """What a file says of its arrays, by part, without reading them.

    Raises:
        DataError: the file is missing, too large, damaged, or nothing that holds plain arrays.
        OSError: it cannot be opened.
    """
    refuse_unusual(path)
    if place := place_to_map(path):
        return {"train": place[0]}
    refuse_large(path)
    with path.open("rb") as stream:
        return _read_untrusted(stream, _only_header)


def place_to_map(path: Path) -> tuple[Header, int] | None:
    """Of a large .npy file of plain levels, not packed, what it says and where its items begin.

    Raises:
        DataError: it is damaged, or has more or fewer items than it says.
    """
    size = path.stat().st_size
    with path.open("rb") as stream:
        if size < MAPPED_FROM or stream.read(len(NPY_MAGIC)) != NPY_MAGIC:
            return None
        stream.seek(0)
        header, start = _read_untrusted(stream, _place, MOST_MAPPED_BYTES)["train"]
    if header.dtype != np.uint8 or header.fortran:
        return None
    if size - start != header.size:
        raise _wrong_length(header, size - start)
    return header, start


def _read_untrusted(
    stream: IO[bytes], take: Take[Found], most: int = MOST_FILE_BYTES
) -> dict[str, Found]:
    try:
        packed = stream.read(2) == GZIP_MAGIC
        stream.seek(0)
        return _read(gzip.open(stream) if packed else stream, take, most)  # type: ignore[arg-type]
    except BadData:
        raise
    except MemoryError as error:
        raise BadData("does not fit into memory, or its header is damaged") from error
    # Damaged bytes make the parsers of gzip, zip and .npy raise exceptions of a dozen kinds.
    except Exception as error:
        reason = printable(" ".join(str(error).split())) or type(error).__name__
        raise BadData(f"damaged, truncated or not plain numbers: {reason}") from error
