"""Data sets as fetch_data writes them, and which images a rank sees when."""

import hashlib
import io
import json
from dataclasses import dataclass, replace
from pathlib import Path
from typing import Any

import numpy as np
import torch
from torch import Tensor

from elboflow.files.whole import sha256, verify
from elboflow.vae.noise import Purpose, binarise, generator, words, words_for
from elboflow.vae.rows import rows_of

TOLD = ("origin", "licence", "binarisation_seed")
MAPPED_FROM = 1 << 29  # bytes of a file from which on it is not read as a whole


class DataError(ValueError):
    """A data set that is missing, damaged or not what its manifest says."""


@dataclass(frozen=True)
class ImageShape:
    """What all images of a data set share: their size, and grey levels 0 .. levels."""

    height: int
    width: int
    channels: int  # 1 for grey images, 3 for colour
    levels: int

    @property
    def pixels(self) -> int:
        """Numbers an image has, D."""
        return self.height * self.width * self.channels

    def __str__(self) -> str:
        """In words: 28 x 28 pixels, levels 0 to 255."""
        colours = " in colour" if self.channels > 1 else ""
        return f"{self.height} x {self.width} pixels{colours}, levels 0 to {self.levels}"


@dataclass(frozen=True)
class Manifest:
    """What fetch_data says of a data set, and the digest of that statement.

    about: its name, origin, licence and binarisation_seed, as far as they are told.
    """

    folder: Path
    shape: ImageShape
    files: dict[str, dict[str, Any]]
    sha256: str
    about: dict[str, Any]


def read_manifest(folder: Path) -> Manifest:
    """Read a data set's manifest.json."""
    path = folder / "manifest.json"
    verify(path)
    try:
        content = path.read_bytes()
        document = json.loads(content)
        digest = hashlib.sha256(content).hexdigest()
        height, width, channels = (*document["image_shape"], 1)[:3]
        shape = ImageShape(int(height), int(width), int(channels), int(document["levels"]))
        about = {"name": folder.name, **{key: document[key] for key in TOLD if key in document}}
        return Manifest(folder, shape, dict(document["files"]), digest, about)
    except (OSError, ValueError, KeyError, TypeError) as error:
        raise DataError(f"{path}: unreadable ({error}); run fetch_data again") from error


def load(manifest: Manifest, name: str) -> np.ndarray:
    """An array of the data set, checked against the manifest; a large one is mapped into memory.

    Returns:
        uint8, shape (images, pixels).
    """
    path = manifest.folder / name
    try:
        expected = manifest.files[name]
        images = _read(path, expected["sha256"])
    except (OSError, ValueError, KeyError) as error:
        if isinstance(error, DataError):
            raise
        raise DataError(f"{path}: unreadable ({error}); run fetch_data again") from error
    if images.dtype != np.uint8 or images.ndim != 2 or len(images) != expected["images"]:
        raise DataError(f"{path}: {images.dtype} {images.shape} is not what the manifest says")
    return images


def _read(path: Path, expected: str) -> np.ndarray:
    """The array in a file of this sha256: of the very bytes that have it, unless these are many."""
    mapped = path.stat().st_size >= MAPPED_FROM
    content = b"" if mapped else path.read_bytes()
    found = sha256(path) if mapped else hashlib.sha256(content).hexdigest()
    if found != expected:
        raise DataError(f"{path}: sha256 differs from the manifest's; run fetch_data again")
    if mapped:
        return np.load(path, mmap_mode="r", allow_pickle=False)
    return np.load(io.BytesIO(content), allow_pickle=False)


def load_split(manifest: Manifest, split: str, observes: str) -> np.ndarray:
    """The images of a split that a likelihood is tested on: frozen binary ones, or grey levels."""
    return load(manifest, f"{split}_binary.npy" if observes == "binary" else f"{split}.npy")


def require_alike(manifest: Manifest, own: Manifest, observes: str) -> None:
    """Refuse images that a model cannot see as it sees its own; raises DataError.

    Binary images may be drawn from any grey levels.
    """
    found, trained = manifest.shape, own.shape
    levels = trained.levels if observes == "binary" else found.levels
    if replace(found, levels=levels) != trained:
        raise DataError(
            f"{manifest.folder.name}: its images have {found}; the model was trained on those of "
            f"{own.folder.name}, {trained}, and can score no others"
        )


def as_observed(images: Tensor, observes: str, levels: int, dtype: torch.dtype) -> Tensor:
    """What the likelihood sees of images that are stored as binary or grey levels, of their shape.

    Args:
        images: binary where `observes` is "binary", else grey levels 0 .. levels.
    """
    # torch converts bytes three times as fast as bool.
    x = (images.view(torch.uint8) if images.dtype == torch.bool else images).to(dtype)
    return x / levels if observes == "unit" else x


def mean_image(grey: np.ndarray, levels: int) -> Tensor:
    """Mean of the training images in [0, 1], float64, shape (D,)."""
    return torch.from_numpy(grey.mean(0, dtype=np.float64) / levels)


def rank_slice(count: int, rank: int, size: int) -> slice:
    """A rank's contiguous share of `count` images; shares differ by at most one image."""
    return slice(count * rank // size, count * (rank + 1) // size)


class TrainingImages:
    """The endless sequence of shown training images: one shuffled pass after another.

    Batch t holds positions t x batch_size to (t + 1) x batch_size of that sequence, so that the
    tail of a pass is carried into the next one and every batch has the same size. The images live
    on the device, unless they are in a file; the draws that binarise them always do.

    Args:
        grey: uint8, shape (images, D), of grey levels 0 .. levels.
        observes: "binary" draws every image afresh at each visit; else the levels are shown.
    """

    def __init__(
        self,
        grey: np.ndarray,
        levels: int,
        seed: int,
        batch_size: int,
        device: torch.device | str = "cpu",
        observes: str = "binary",
    ) -> None:
        if batch_size > len(grey):
            raise DataError(
                f"batch_size: {batch_size} is more than the {len(grey)} training images"
            )
        self.rows, self.device = rows_of(grey, device), device
        self.count, self.pixels = grey.shape
        self.levels, self.seed, self.batch_size = levels, seed, batch_size
        self.observes = observes
        self._orders: dict[int, np.ndarray] = {}

    def batches(self, step: int, steps: int, share: slice) -> Tensor:
        """A rank's share of `steps` batches from `step` on, freshly binarised or as they are.

        Each visit of an image is a new position in the sequence, and so gets fresh noise.

        Returns:
            bool, or uint8 grey levels, of shape (steps, images, pixels).
        """
        firsts = self._firsts(step, steps, share)
        count = share.stop - share.start
        grey = self.rows.take(self._shown(firsts, count)).view(steps, count, self.pixels)
        self.rows.expect(lambda: self._shown(self._firsts(step + steps, steps, share), count))
        if self.observes != "binary":
            return grey
        starts, per_image = [(0, first) for first in firsts], words_for(self.pixels)
        raw = words(self.seed, Purpose.BINARISATION, starts, count, per_image, self.device)
        return binarise(grey, self.levels, raw)

    def _firsts(self, step: int, steps: int, share: slice) -> list[int]:
        """The first positions of a rank's share in `steps` batches from `step` on."""
        return [one * self.batch_size + share.start for one in range(step, step + steps)]

    def _shown(self, firsts: list[int], count: int) -> np.ndarray:
        """Which images are shown at `count` positions from each first on."""
        return np.concatenate([self._images(first, count) for first in firsts])

    def _images(self, first: int, count: int) -> np.ndarray:
        """Which images are shown at `count` positions from `first` on."""
        passes, offsets = np.divmod(np.arange(first, first + count), self.count)
        images = np.empty(count, dtype=np.int64)
        for visited in np.unique(passes):
            chosen = passes == visited
            images[chosen] = self._order(int(visited))[offsets[chosen]]
        return images

    def _order(self, visited: int) -> np.ndarray:
        if visited not in self._orders:
            self._orders = {k: v for k, v in self._orders.items() if k == visited - 1}
            shuffled = generator(self.seed, Purpose.ORDER, visited).permutation(self.count)
            self._orders[visited] = shuffled
        return self._orders[visited]
