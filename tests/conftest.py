"""What all rings share: a small data set in the layout of fetch_data, and a small disk."""

import hashlib
import json
import subprocess
from collections.abc import Callable, Iterator
from pathlib import Path

import numpy as np
import pytest

LEVELS, SIDE = 16, 6


def noisy_prototypes(images: int, seed: int) -> np.ndarray:
    """Grey images near one of ten prototypes, so that there is something to learn."""
    random = np.random.default_rng(seed)
    prototypes = np.random.default_rng(0).integers(0, LEVELS + 1, (10, SIDE * SIDE))
    noise = random.integers(-2, 3, (images, SIDE * SIDE))
    chosen = prototypes[random.integers(0, 10, images)] + noise
    return np.clip(chosen, 0, LEVELS).astype(np.uint8)


def write_data(folder: Path, train: int = 300, validation: int = 41, test: int = 53) -> Path:
    """Write arrays and manifest of a data set into `folder`."""
    folder.mkdir(parents=True)
    files = {}
    for seed, (split, images) in enumerate(
        {"train": train, "validation": validation, "test": test}.items()
    ):
        grey = noisy_prototypes(images, seed)
        draws = np.random.default_rng(100 + seed).random(grey.shape)
        arrays = {split: grey, f"{split}_binary": (draws * LEVELS < grey).astype(np.uint8)}
        for name, array in arrays.items():
            path = folder / f"{name}.npy"
            np.save(path, array)
            digest = hashlib.sha256(path.read_bytes()).hexdigest()
            files[path.name] = {"images": images, "sha256": digest}
    manifest = {"levels": LEVELS, "image_shape": [SIDE, SIDE], "files": files}
    (folder / "manifest.json").write_text(json.dumps(manifest))
    return folder


@pytest.fixture(scope="session")
def make_data() -> Callable[..., Path]:
    return write_data


@pytest.fixture
def small_disk(tmp_path: Path) -> Iterator[Path]:
    """A disk of 100 KiB."""
    disk = tmp_path / "disk"
    disk.mkdir()
    mount = ["mount", "-t", "tmpfs", "-o", "size=100k", "tmpfs", str(disk)]
    if subprocess.run(mount, check=False, capture_output=True).returncode:
        pytest.skip("only root can mount a small disk")
    yield disk
    subprocess.run(["umount", str(disk)], check=True)
