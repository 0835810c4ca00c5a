"""What the commands write: tables and images, whole or not at all."""

import contextlib
import csv
import io
import os
import shutil
import struct
import zlib
from collections.abc import Mapping, Sequence
from pathlib import Path
from typing import Any

import numpy as np
from numpy.typing import NDArray

from elboflow.files.whole import whole, write_bytes

Array = NDArray[Any]
WHITE = 255  # of a PNG
GAP = 2  # pixels between the images of a sheet


def check_output(name: str, endings: Sequence[str]) -> Path:
    """The path of an output, before anything is computed for it.

    Args:
        endings: of its name; / is a folder.

    Raises:
        ValueError: it has another ending, or something stands in its way.
    """
    known = " or ".join(endings)
    if name == "-":
        raise ValueError(f"-: standard output is not written to; name a file that ends in {known}")
    path, is_folder = Path(name), name.endswith("/")
    if ("/" if is_folder else path.suffix.lower()) not in endings:
        raise ValueError(f"{name}: the output's name must end in {known}")
    if is_folder and path.exists():
        raise ValueError(f"{name}: is there already; name a folder that is not")
    if path.is_dir():
        raise ValueError(f"{name}: is a folder; name a file")
    if not os.access(path.parent, os.W_OK):
        raise ValueError(f"{path.parent}: no folder that can be written to; make it first")
    return path


def write_table(path: Path, columns: Mapping[str, Array]) -> None:
    """Columns of equal length: a CSV with every digit, or the arrays of an .npz."""
    if path.suffix.lower() == ".npz":
        return _write_npz(path, columns)
    text = io.StringIO()
    writer = csv.writer(text, lineterminator="\n")
    writer.writerow(columns)
    writer.writerows(zip(*(column.tolist() for column in columns.values()), strict=True))
    return write_bytes(path, text.getvalue().encode())


def write_images(path: Path, images: Array, top: int) -> None:
    """Images (N, H, W) or (N, H, W, 3): an .npz as they are; PNG as grey levels, `top` white."""
    if path.suffix.lower() == ".npz":
        return _write_npz(path, {"images": images})
    pixels = np.rint(images * (WHITE / top)).astype(np.uint8)
    if path.suffix.lower() == ".png":
        return write_bytes(path, png(sheet(pixels)))
    return _write_folder(path, pixels)


def _write_npz(path: Path, arrays: Mapping[str, Array]) -> None:
    with whole(path) as file:
        np.savez_compressed(file, **arrays)  # type: ignore[arg-type]


def _write_folder(path: Path, pixels: Array) -> None:
    aside = path.with_name(f".{path.name}.{os.getpid()}.part")
    try:
        aside.mkdir()
        for number, image in enumerate(pixels):
            (aside / f"{number:06}.png").write_bytes(png(image))
        aside.rename(path)
    finally:
        with contextlib.suppress(OSError):
            shutil.rmtree(aside)


def sheet(pixels: Array) -> Array:
    """All images in one, row by row in a square, with white between them."""
    count, height, width, *colours = pixels.shape
    columns = int(np.ceil(count**0.5))
    rows = -(-count // columns)
    shape = (rows * (height + GAP) - GAP, columns * (width + GAP) - GAP, *colours)
    filled = np.full(shape, WHITE, np.uint8)
    for number, image in enumerate(pixels):
        top, left = (
            place * (size + GAP)
            for place, size in zip(divmod(number, columns), (height, width), strict=True)
        )
        filled[top : top + height, left : left + width] = image
    return filled


def png(pixels: Array) -> bytes:
    """A PNG file of levels 0 to 255, shape (H, W) or (H, W, 3).

    ISO/IEC 15948: each chunk has its length and a checksum, each row of pixels a filter, here none.
    """

    def chunk(kind: bytes, content: bytes) -> bytes:
        body = kind + content
        return struct.pack(">I", len(content)) + body + struct.pack(">I", zlib.crc32(body))

    height, width = pixels.shape[:2]
    colour = 2 if pixels.ndim == 3 else 0
    header = struct.pack(">IIBBBBB", width, height, 8, colour, 0, 0, 0)
    rows = np.pad(pixels.reshape(height, -1), ((0, 0), (1, 0)))
    chunks = {b"IHDR": header, b"IDAT": zlib.compress(rows.tobytes()), b"IEND": b""}
    return b"\x89PNG\r\n\x1a\n" + b"".join(chunk(*one) for one in chunks.items())
