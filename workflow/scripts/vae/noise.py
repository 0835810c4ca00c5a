"""Random numbers that are a function of (seed, purpose, item), never of the rank that draws them.

Philox is counter-based: any position of its stream can be sought in constant time, so a rank
draws the noise of its own images and nothing else, and any number of ranks sees the same noise.
Salmon et al., Parallel random numbers: as easy as 1, 2, 3, SC 2011.
"""

from enum import IntEnum

import numpy as np
import torch
from torch import Tensor

WORDS_PER_BLOCK = 4  # one Philox counter gives four 64-bit words


class Purpose(IntEnum):
    """One independent stream per use; the numbers are part of the results, never reuse one."""

    PARAMETERS = 1
    ORDER = 2
    BINARISATION = 3
    TRAINING = 4
    VALIDATION = 5
    ELBO = 6
    IMPORTANCE = 7
    SAMPLES = 8


def generator(seed: int, purpose: Purpose, row: int = 0) -> np.random.Generator:
    """A numpy generator for one row (an epoch, say) of one stream."""
    return np.random.Generator(np.random.Philox(key=_key(seed, purpose), counter=row << 128))


def words(
    seed: int, purpose: Purpose, first: int, items: int, per_item: int, row: int = 0
) -> np.ndarray:
    """Random words of the items first .. first + items - 1 of a row of a stream.

    Returns:
        uint64, shape (items, per_item). An item's words depend on per_item, not on the others.
    """
    blocks = -(-per_item // WORDS_PER_BLOCK)
    counter = (row << 128) + first * blocks
    raw = np.random.Philox(key=_key(seed, purpose), counter=counter).random_raw(
        items * blocks * WORDS_PER_BLOCK
    )
    return raw.reshape(items, blocks * WORDS_PER_BLOCK)[:, :per_item]


def normals(raw: np.ndarray, dtype: torch.dtype) -> Tensor:
    """Standard normal numbers by inverse CDF, one per word; same shape as `raw`."""
    # 52 bits and a half: exact in float64, and never 0 or 1.
    uniform = ((raw >> np.uint64(12)).astype(np.float64) + 0.5) * 2.0**-52
    return torch.special.ndtri(torch.from_numpy(uniform)).to(dtype)


def binarise(grey: np.ndarray, levels: int, seed: int, first: int) -> np.ndarray:
    """Binary images whose pixels are on with probability grey / levels, exact to 2^-31.

    Args:
        grey: uint8, shape (B, D), values 0 .. levels.
        first: position of the first image in the run's sequence of shown images; each visit of
            an image is a new position and so gets fresh noise.

    Returns:
        bool, shape (B, D). Level 0 is never on, level `levels` always.
    """
    images, pixels = grey.shape
    raw = words(seed, Purpose.BINARISATION, first, images, -(-pixels // 2))
    draws = np.ascontiguousarray(raw).view(np.uint32)[:, :pixels] >> np.uint32(1)
    return draws < _thresholds(levels)[grey]


def _thresholds(levels: int) -> np.ndarray:
    """For each grey level the number of 31-bit draws that switch the pixel on."""
    return np.array([-(-level * 2**31 // levels) for level in range(levels + 1)], dtype=np.uint32)


def _key(seed: int, purpose: Purpose) -> int:
    return (int(purpose) << 64) + seed
