"""Rows of an array: in memory, or in a file, of which threads read those to come ahead.

Which rows a training shows is known long before, but they lie anywhere: one reader would wait for
the disk at each of them.
"""

import mmap
from collections.abc import Callable
from concurrent.futures import Future, ThreadPoolExecutor

import numpy as np
import torch
from torch import Tensor

READERS = 16  # threads, each of which waits for one row at a time


class RowsInMemory:
    """The rows of an array (N, D), kept on a device."""

    def __init__(self, array: np.ndarray, device: torch.device | str) -> None:
        self.tensor = torch.from_numpy(array).to(device)

    def take(self, places: np.ndarray) -> Tensor:
        """Rows (M, D) at places (M,), on the device."""
        indices = torch.from_numpy(places).to(self.tensor.device, non_blocking=True)
        return self.tensor.index_select(0, indices)

    def expect(self, places: Callable[[], np.ndarray]) -> None:
        """Nothing has to be read, and the places need not be known."""


class RowsInFile:
    """The rows of an array (N, D) that is mapped into memory; those to come are read ahead."""

    def __init__(self, array: np.memmap, device: torch.device | str) -> None:
        if isinstance(array.base, mmap.mmap):
            array.base.madvise(mmap.MADV_RANDOM)  # else the system reads the neighbours as well
        self.array, self.device = np.asarray(array), device
        self.readers = ThreadPoolExecutor(READERS)
        self.expected = np.empty(0, dtype=np.int64)
        self.read: list[Future[np.ndarray]] = []

    def take(self, places: np.ndarray) -> Tensor:
        """Rows (M, D) at places (M,), on the device."""
        read = self.read if np.array_equal(places, self.expected) else self._start(places)
        rows = np.concatenate([part.result() for part in read])
        return torch.from_numpy(rows).to(self.device)

    def expect(self, places: Callable[[], np.ndarray]) -> None:
        """Begin to read the rows that the next call takes."""
        self.expected = places()
        self.read = self._start(self.expected)

    def _start(self, places: np.ndarray) -> list[Future[np.ndarray]]:
        parts = np.array_split(places, READERS)
        # take() lets other threads run, which indexing does not
        return [self.readers.submit(self.array.take, part, axis=0) for part in parts]


def rows_of(array: np.ndarray, device: torch.device | str) -> RowsInMemory | RowsInFile:
    """The rows of an array that is in memory or mapped into it."""
    if isinstance(array, np.memmap):
        return RowsInFile(array, device)
    return RowsInMemory(array, device)
