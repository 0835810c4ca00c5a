"""Random numbers that are a function of (seed, purpose, item), never of the rank that draws them.

Philox is counter-based: any position of its stream can be sought in constant time, so a rank
draws the noise of its own images and nothing else, and any number of ranks sees the same noise.
Salmon et al., Parallel random numbers: as easy as 1, 2, 3, SC 2011. On a CPU numpy draws the words;
elsewhere vae.philox draws the same ones on the device itself.
"""

from collections.abc import Sequence
from enum import IntEnum

import numpy as np
import torch
from torch import Tensor

from elboflow.vae import philox
from elboflow.vae.philox import WORDS_PER_BLOCK


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
    POSTERIOR_MEAN = 9
    AGGREGATE = 10
    RECONSTRUCTION_Z = 11
    RECONSTRUCTION_X = 12
    TRAINING_IMAGES = 13
    PARTS = 14
    BEST_POSTERIOR = 15
    SECOND_BINARISATION = 18
    AIS_PILOT = 20
    AIS_FORWARD = 21
    AIS_REVERSE = 22
    AIS_SIMULATION = 23


LEVELS_OF_A_BYTE = 255
FIRST_BIT = -(1 << 63)  # of a word

Start = tuple[int, int]
"""A row of a stream (an image, say) and the first item in it (a sample)."""


def generator(seed: int, purpose: Purpose, row: int = 0) -> np.random.Generator:
    """A numpy generator for one row (an epoch, say) of one stream."""
    return np.random.Generator(np.random.Philox(key=_key(seed, purpose), counter=row << 128))


def words(
    seed: int,
    purpose: Purpose,
    starts: Sequence[Start],
    items: int,
    per_item: int,
    device: torch.device | str = "cpu",
) -> Tensor:
    """Random words of `items` consecutive items from each start on.

    Returns:
        int64 that hold unsigned words, shape (starts, items, per_item), on the device. An item's
        words depend on per_item, not on the other items.
    """
    blocks = -(-per_item // WORDS_PER_BLOCK)
    draw = _words_on_cpu if torch.device(device).type == "cpu" else words_on_device
    raw = draw(_key(seed, purpose), starts, items * blocks, blocks, torch.device(device))
    return raw.view(len(starts), items, blocks * WORDS_PER_BLOCK)[..., :per_item]


def _words_on_cpu(
    key: int, starts: Sequence[Start], count: int, blocks: int, device: torch.device
) -> Tensor:
    drawn = np.empty((len(starts), count * WORDS_PER_BLOCK), np.uint64)
    stream = np.random.Philox(key=key)
    state = stream.state  # setting it takes a fifth of the time of another generator
    for row, (number, first) in enumerate(starts):
        state["state"]["counter"] = np.array([first * blocks, 0, number, 0], np.uint64)
        stream.state = state
        drawn[row] = stream.random_raw(drawn.shape[1])
    return torch.from_numpy(drawn.view(np.int64)).to(device)


def words_on_device(
    key: int, starts: Sequence[Start], count: int, blocks: int, device: torch.device
) -> Tensor:
    """`count` blocks of words from each start on, shape (starts, 4 x count)."""
    rows, firsts = torch.tensor(starts, dtype=torch.int64).to(device, non_blocking=True).unbind(1)
    # numpy counts before it draws.
    counters = firsts[:, None] * blocks + torch.arange(1, count + 1, device=device)
    drawn = philox.blocks((key & (1 << 64) - 1, key >> 64), counters, rows[:, None])
    return drawn.flatten(1)


def normals(raw: Tensor, dtype: torch.dtype) -> Tensor:
    """Standard normal numbers by inverse CDF, one per word; same shape as `raw`."""
    # sqrt(2) erfinv(2 u - 1) of the same u as in `uniforms`, where 2 u - 1 is exact as well: ndtri
    # takes six times as long. As a signed number, a word with its first bit turned is 2^63 less.
    centred = ((raw ^ FIRST_BIT) >> 12).double().add_(0.5).mul_(2.0**-51)
    return centred.erfinv_().mul_(2**0.5).to(dtype)


def uniforms(raw: Tensor) -> Tensor:
    """Numbers uniform in (0, 1), float64, one per word; same shape as `raw`."""
    # 52 bits and a half: exact in float64, and never 0 or 1.
    return philox.shift_right(raw, 12).double().add_(0.5).mul_(2.0**-52)


def binarise(grey: Tensor, levels: int, raw: Tensor) -> Tensor:
    """Binary images whose pixels are on with probability grey / levels, exact to 2^-31.

    Args:
        grey: uint8, shape (..., D), values 0 .. levels.
        raw: random words, shape (..., W) with W = words_for(D).

    Returns:
        bool, shape (..., D). Level 0 is never on, level `levels` always.
    """
    halves = raw.contiguous().view(torch.int32)[..., : grey.shape[-1]]
    limits = _last_draws(levels).to(grey.device, non_blocking=True)
    if levels == LEVELS_OF_A_BYTE and grey.device.type == "cpu":
        return _binarise_bytes(grey, limits, halves)
    return _31_bits(halves) <= limits.index_select(0, grey.reshape(-1).int()).view(grey.shape)


def _binarise_bytes(grey: Tensor, limits: Tensor, halves: Tensor) -> Tensor:
    """The same, five times as fast: a pixel's first 8 bits decide, but for one pixel in 256.

    Of 255 levels, the first 8 of a limit's 31 bits are the level itself.
    """
    first_bits = (halves >> 24).to(torch.uint8)
    binary = first_bits < grey
    undecided = np.flatnonzero((first_bits == grey).numpy())
    draws = _31_bits(halves.reshape(-1)[undecided])
    binary.view(-1)[undecided] = draws <= limits[grey.reshape(-1)[undecided].int()]
    return binary


def _31_bits(halves: Tensor) -> Tensor:
    return (halves >> 1) & 0x7FFFFFFF


def binarised(grey: Tensor, levels: int, seed: int, purpose: Purpose, draw: int = 0) -> Tensor:
    """One binarisation of images (N, D), a function of seed, purpose, draw and place in `grey`."""
    raw = words(seed, purpose, [(draw, 0)], len(grey), words_for(grey.shape[1]), grey.device)[0]
    return binarise(grey, levels, raw)


def words_for(pixels: int) -> int:
    """Words that the binarisation of an image takes: a pixel needs half of one."""
    return -(-pixels // 2)


def _last_draws(levels: int) -> Tensor:
    """For each grey level the last of the 2^31 draws that switches the pixel on; -1 is none."""
    counts = [-(-level * 2**31 // levels) for level in range(levels + 1)]
    return torch.tensor([count - 1 for count in counts], dtype=torch.int32)


def _key(seed: int, purpose: Purpose) -> int:
    return (int(purpose) << 64) + seed
