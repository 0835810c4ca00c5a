"""What the published files hold: arrays out of their bytes, which have been verified.

Anything but the form expected is refused nevertheless: a wrong digest in the list of sources, or
a library that reads otherwise than it did, must not end in other images.
"""

import io
from collections.abc import Mapping

import numpy as np

from elboflow.images.arrays import AnyArray, Images
from elboflow.images.errors import BadData

SIDE = 28
PIXELS = SIDE * SIDE
IDX_HEADER = 16  # bytes

SPAMBASE_WORDS = (
    "make address all 3d our over remove internet order mail receive will people report addresses "
    "free business email you credit your font 000 money hp hpl george 650 lab labs telnet 857 data "
    "415 85 technology 1999 parts pm direct cs meeting original project re edu table conference"
)
SPAMBASE_COLUMNS = (
    *(f"word_freq_{word}" for word in SPAMBASE_WORDS.split()),
    *(f"char_freq_{character}" for character in ";([!$#"),
    *(f"capital_run_length_{kind}" for kind in ("average", "longest", "total")),
)


def read_idx_files(contents: Mapping[str, bytes]) -> dict[str, AnyArray]:
    """Levels 0 to 255, one idx file for each part."""
    return {
        part: np.frombuffer(content, np.uint8, offset=IDX_HEADER).reshape(-1, PIXELS)
        for part, content in contents.items()
    }


def read_amat(contents: Mapping[str, bytes]) -> dict[str, AnyArray]:
    """Black and white images, one text file for each part.

    A line is an image: digits 0 or 1, with one blank between two of them.
    """
    return {part: _amat_images(part, content) for part, content in contents.items()}


def _amat_images(part: str, content: bytes) -> Images:
    bytes_of_line = 2 * PIXELS
    if not content or len(content) % bytes_of_line:
        raise BadData(f"{part}: expected lines of {bytes_of_line} bytes, found {len(content)}")
    text = np.frombuffer(content, np.uint8).reshape(-1, PIXELS, 2)
    digits, blanks = text[:, :, 0], text[:, :, 1]
    images = digits - np.uint8(ord("0"))  # what is below 0 becomes large
    if images.max() > 1 or (blanks[:, :-1] != ord(" ")).any() or (blanks[:, -1] != ord("\n")).any():
        raise BadData(f"{part}: expected lines of {PIXELS} digits 0 or 1 with a blank between")
    return images


def read_chardata(contents: Mapping[str, bytes]) -> dict[str, AnyArray]:
    """Omniglot as in the IWAE paper: levels 0 to 255, rounded from numbers between 0 and 1."""
    from scipy.io import loadmat  # only needed here

    names = {"train": "data", "test": "testdata"}
    try:
        found = loadmat(io.BytesIO(contents["all"]), variable_names=list(names.values()))
    # Damaged bytes make the parser raise exceptions of a dozen kinds.
    except Exception as error:
        reason = " ".join(str(error).split()) or type(error).__name__
        raise BadData(f"chardata.mat cannot be read: {reason[:160]}") from error
    return {part: _upright_levels(name, found.get(name)) for part, name in names.items()}


def _upright_levels(name: str, values: AnyArray | None) -> Images:
    """Images out of an array with one column for each, in which an image lies column by column.

    References:
        Burda, Grosse and Salakhutdinov, binarized_shuffled_omniglot,
        https://github.com/yburda/iwae/blob/master/datasets.py
    """
    if not isinstance(values, np.ndarray) or values.ndim != 2 or len(values) != PIXELS:
        shape = getattr(values, "shape", "nothing")
        raise BadData(f"chardata.mat: {name} is {shape}, expected ({PIXELS}, images)")
    if values.dtype.kind != "f" or not values.size or not (values.min() >= 0 <= 1 >= values.max()):
        raise BadData(f"chardata.mat: {name} holds no numbers from 0 to 1")
    levels = np.rint(values.T * 255).astype(np.uint8)
    return levels.reshape(-1, SIDE, SIDE).transpose(0, 2, 1).reshape(-1, PIXELS)


def read_spambase(contents: Mapping[str, bytes]) -> dict[str, AnyArray]:
    """The table as it is, float64: a row for each e-mail, the last column is 1 for spam."""
    columns = len(SPAMBASE_COLUMNS) + 1
    try:
        table = np.loadtxt(io.BytesIO(contents["table"]), delimiter=",", ndmin=2)
    except ValueError as error:
        raise BadData(f"spambase.data cannot be read: {' '.join(str(error).split())}") from error
    if table.shape[1] != columns or not np.isfinite(table).all():
        raise BadData(f"spambase.data: expected {columns} columns of numbers")
    if not np.isin(table[:, -1], (0, 1)).all():
        raise BadData("spambase.data: expected 0 or 1 in the last column")
    return {"train": table}
