"""Random streams that give the same numbers on every machine and with every release of NumPy.

A stream is the sequence of 64-bit words of the counter-based generator Philox4x64-10, with the
counter from one (NumPy counts before it draws), whose key is the pair (seed, label): the label is
at most eight ASCII characters, read as a big-endian integer after padding with zero bytes. NumPy
keeps the words of a bit generator fixed but not what it derives from them (shuffles, choices), so
everything here is derived from the words themselves.
"""

import numpy as np
from numpy.typing import NDArray


def stream(seed: int, label: str) -> np.random.Philox:
    """The stream of `seed` (0 to 2**64 - 1) and `label` (at most eight ASCII characters)."""
    word = int.from_bytes(label.encode("ascii").ljust(8, b"\0"), "big")
    return np.random.Philox(key=np.array([seed, word], dtype=np.uint64))


def drawn_order(count: int, seed: int, label: str) -> NDArray[np.intp]:
    """A random permutation of range(count): the order that sorts the first `count` words."""
    return np.argsort(stream(seed, label).random_raw(count), kind="stable")
