"""Data sets as fetch_data writes them, and which images a rank sees when."""

import hashlib
import io
import json
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import numpy as np
import torch
from torch import Tensor

from vae.noise import Purpose, binarise, generator


class DataError(ValueError):
    """A data set that is missing, damaged or not what its manifest says."""


@dataclass(frozen=True)
class Manifest:
    """What fetch_data says of a data set, and the digest of that statement."""

    folder: Path
    levels: int
    files: dict[str, dict[str, Any]]
    sha256: str


def read_manifest(folder: Path) -> Manifest:
    """Read a data set's manifest.json."""
    path = folder / "manifest.json"
    try:
        content = path.read_bytes()
        document = json.loads(content)
        digest = hashlib.sha256(content).hexdigest()
        return Manifest(folder, int(document["levels"]), dict(document["files"]), digest)
    except (OSError, ValueError, KeyError, TypeError) as error:
        raise DataError(f"{path}: unreadable ({error}); run fetch_data again") from error


def load(manifest: Manifest, name: str) -> np.ndarray:
    """An array of the data set, checked against the manifest.

    Returns:
        uint8, shape (images, pixels).
    """
    path = manifest.folder / name
    try:
        content = path.read_bytes()
        expected = manifest.files[name]
        if hashlib.sha256(content).hexdigest() != expected["sha256"]:
            raise DataError(f"{path}: sha256 differs from the manifest's; run fetch_data again")
        images = np.load(io.BytesIO(content), allow_pickle=False)
    except (OSError, ValueError, KeyError) as error:
        if isinstance(error, DataError):
            raise
        raise DataError(f"{path}: unreadable ({error}); run fetch_data again") from error
    if images.dtype != np.uint8 or images.ndim != 2 or len(images) != expected["images"]:
        raise DataError(f"{path}: {images.dtype} {images.shape} is not what the manifest says")
    return images


def mean_image(grey: np.ndarray, levels: int) -> Tensor:
    """Mean of the training images in [0, 1], float64, shape (D,)."""
    return torch.from_numpy(grey.mean(0, dtype=np.float64) / levels)


def rank_slice(count: int, rank: int, size: int) -> slice:
    """A rank's contiguous share of `count` images; shares differ by at most one image."""
    return slice(count * rank // size, count * (rank + 1) // size)


class TrainingImages:
    """The endless sequence of shown training images: one shuffled pass after another.

    Batch t holds positions t x batch_size to (t + 1) x batch_size of that sequence, so that the
    tail of a pass is carried into the next one and every batch has the same size.
    """

    def __init__(self, grey: np.ndarray, levels: int, seed: int, batch_size: int) -> None:
        if batch_size > len(grey):
            raise DataError(
                f"batch_size: {batch_size} is more than the {len(grey)} training images"
            )
        self.grey, self.levels, self.seed, self.batch_size = grey, levels, seed, batch_size
        self._orders: dict[int, np.ndarray] = {}

    def batch(self, step: int, share: slice) -> Tensor:
        """A rank's share of batch `step`, freshly binarised, bool of shape (images, pixels)."""
        first = step * self.batch_size + share.start
        positions = np.arange(first, step * self.batch_size + share.stop)
        passes, offsets = np.divmod(positions, len(self.grey))
        images = np.empty(len(positions), dtype=np.int64)
        for visited in np.unique(passes):
            chosen = passes == visited
            images[chosen] = self._order(int(visited))[offsets[chosen]]
        return torch.from_numpy(binarise(self.grey[images], self.levels, self.seed, first))

    def _order(self, visited: int) -> np.ndarray:
        if visited not in self._orders:
            self._orders = {k: v for k, v in self._orders.items() if k == visited - 1}
            shuffled = generator(self.seed, Purpose.ORDER, visited).permutation(len(self.grey))
            self._orders[visited] = shuffled
        return self._orders[visited]
