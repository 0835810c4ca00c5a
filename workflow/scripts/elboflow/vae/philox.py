"""Philox4x64-10 in tensor arithmetic: the words of numpy's generator, drawn where the model is.

Salmon et al., Parallel random numbers: as easy as 1, 2, 3, SC 2011, section 4.3 and table 2. torch
has signed 64-bit integers only: they wrap around as unsigned ones do, and `>>` copies their sign.
"""

import torch
from torch import Tensor

WORDS_PER_BLOCK = 4  # one counter gives four 64-bit words
ROUNDS = 10
MULTIPLIERS = (0xD2E7470EE14C6C93, 0xCA5A826395121157)
KEY_STEPS = (0x9E3779B97F4A7C15, 0xBB67AE8584CAA73B)
LOW = 0xFFFFFFFF


def blocks(key: tuple[int, int], low: Tensor, high: Tensor) -> Tensor:
    """The words of the counters low + high x 2^128, with low below 2^63.

    Args:
        key: two words of 64 bits.
        low, high: int64, of shapes that broadcast to (...).

    Returns:
        int64, shape (..., 4): the bits of unsigned words.
    """
    low, high = torch.broadcast_tensors(low, high)
    zero = torch.zeros_like(low)
    c0, c1, c2, c3 = low, zero, high, zero
    for step in range(ROUNDS):
        k0, k1 = (_signed(word + step * KEY_STEPS[i]) for i, word in enumerate(key))
        high0, low0 = _product(MULTIPLIERS[0], c0)
        high1, low1 = _product(MULTIPLIERS[1], c2)
        c0, c1, c2, c3 = high1 ^ c1 ^ k0, low1, high0 ^ c3 ^ k1, low0
    return torch.stack([c0, c1, c2, c3], dim=-1)


def shift_right(words: Tensor, bits: int) -> Tensor:
    """Shift unsigned words: zeros come in from the left."""
    return (words >> bits) & ((1 << (64 - bits)) - 1)


def _product(multiplier: int, words: Tensor) -> tuple[Tensor, Tensor]:
    """High and low word of the 128-bit products, by halves as in longhand."""
    a_high, a_low = multiplier >> 32, multiplier & LOW
    b_high, b_low = shift_right(words, 32), words & LOW
    low_high, high_low = a_low * b_high, a_high * b_low
    middle = shift_right(a_low * b_low, 32) + (low_high & LOW) + (high_low & LOW)
    high = a_high * b_high + shift_right(low_high, 32) + shift_right(high_low, 32)
    return high + (middle >> 32), _signed(multiplier) * words


def _signed(word: int) -> int:
    """The signed integer of the same 64 bits."""
    word &= (1 << 64) - 1
    return word - (1 << 64) if word >> 63 else word
