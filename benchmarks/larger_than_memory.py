"""Train on a generated data set that is larger than a rank may hold, beside one that fits.

    OMP_NUM_THREADS=1 results/environment/venv/bin/python benchmarks/larger_than_memory.py \
        --gigabytes 10 --steps 3000 --folder /tmp/larger

Both are trained in turn, by the same process of one thread. It ends where it asks for more private
memory than --limit. The file's pages in the system's cache are not the rank's, and are dropped
before the first step, so that images come from the disk. The data are deleted at the end.
"""

import argparse
import json
import mmap
import os
import resource
import shutil
import statistics
import sys
import time
from pathlib import Path

import numpy as np

sys.path.insert(0, str(Path(__file__).parents[1] / "workflow" / "scripts"))

from elboflow.files.whole import sha256
from elboflow.vae.arithmetic import set_arithmetic
from elboflow.vae.data import load, mean_image, read_manifest
from elboflow.vae.model.networks import VAE
from elboflow.vae.rows import RowsInFile
from elboflow.vae.spec import TrainingSpec
from elboflow.vae.training.training import Training

PIXELS, LEVELS, FITS = 784, 255, 50_000  # numbers of an image, levels, images that fit
CHUNK = 100_000  # images generated at once
WARM_UP_STEPS, ROUNDS = 50, 10


def generate(folder: Path, images: int) -> None:
    """Random grey images and their manifest, as fetch_data would leave them."""
    folder.mkdir(parents=True)
    path, drawn = folder / "train.npy", np.random.default_rng(0)
    header = {"descr": "|u1", "fortran_order": False, "shape": (images, PIXELS)}
    with path.open("wb") as file:
        np.lib.format.write_array_header_1_0(file, header)
        for first in range(0, images, CHUNK):
            count = min(CHUNK, images - first)
            file.write(drawn.integers(0, LEVELS + 1, (count, PIXELS), dtype=np.uint8))
    files = {"train.npy": {"images": images, "sha256": sha256(path)}}
    document = {"image_shape": [28, 28], "levels": LEVELS, "files": files}
    (folder / "manifest.json").write_text(json.dumps(document))


def begin(folder: Path, batch_size: int) -> Training:
    """A VAE of the size of Burda et al., with the file's pages out of the system's cache."""
    spec = TrainingSpec(dataset=folder.name, latent_dim=50, batch_size=batch_size, epochs=1000)
    set_arithmetic(spec.precision, spec.deterministic)
    manifest = read_manifest(folder)
    grey = load(manifest, "train.npy")
    vae = VAE(spec, manifest.shape)
    vae.initialise(1, mean_image(grey, LEVELS))
    drop_pages(grey, folder / "train.npy")
    validation = np.zeros((0, PIXELS), np.uint8)
    return Training(vae, spec, 1, grey, LEVELS, validation, 0, 1, lambda _: None)


def drop_pages(grey: np.ndarray, path: Path) -> None:
    """Take a mapped file's pages out of the process, then out of the system's cache."""
    if isinstance(grey.base, mmap.mmap):
        grey.base.madvise(mmap.MADV_DONTNEED)
    with path.open("rb") as file:
        os.posix_fadvise(file.fileno(), 0, 0, os.POSIX_FADV_DONTNEED)


def speed(training: Training, steps: int) -> float:
    """Images per second over some steps."""
    began = time.perf_counter()
    for _ in range(steps):
        training.advance()
    return steps * training.spec.batch_size / (time.perf_counter() - began)


def memory(kind: str) -> float:
    """GB of this process: RssAnon, its own, or VmHWM, the most so far with pages of files."""
    lines = Path("/proc/self/status").read_text().splitlines()
    return next(int(line.split()[1]) for line in lines if line.startswith(kind)) / 1e6


def compare(large: Training, small: Training, steps: int) -> None:
    """Train both in turn, and print speeds, their ratio within a round, and memory."""
    rounds, own = [], 0.0
    for training in (large, small):
        speed(training, WARM_UP_STEPS)
    for _ in range(ROUNDS):
        rounds.append([speed(training, steps // ROUNDS) for training in (large, small)])
        own = max(own, memory("RssAnon"))
    of_large, of_small = map(statistics.median, zip(*rounds, strict=True))
    ratios = sorted(one / other for one, other in rounds)
    print(f"larger than memory: {of_large:,.0f} images/s; that fits: {of_small:,.0f}")
    print(f"ratio {statistics.median(ratios):.2f} ({ratios[0]:.2f} to {ratios[-1]:.2f})")
    print(f"own memory {own:.2f} GB; with pages of files {memory('VmHWM'):.2f} GB", flush=True)


def main() -> None:
    parser = argparse.ArgumentParser(description=__doc__.splitlines()[0])
    parser.add_argument("--gigabytes", type=float, default=10, help="of the larger data set")
    parser.add_argument("--steps", type=int, default=3000, help="of each training")
    parser.add_argument("--batch-size", type=int, default=100, help="images of a step")
    parser.add_argument("--limit", type=float, default=1.5, help="GB that a rank may take")
    parser.add_argument("--folder", type=Path, required=True, help="for the data; must not exist")
    args = parser.parse_args()
    limit = int(args.limit * 1e9)
    resource.setrlimit(resource.RLIMIT_DATA, (limit, limit))
    try:
        generate(args.folder / "large", int(args.gigabytes * 1e9) // PIXELS)
        generate(args.folder / "small", FITS)
        large, small = (begin(args.folder / name, args.batch_size) for name in ("large", "small"))
        print(f"mapped: {isinstance(large.taken.batches.images.rows, RowsInFile)}", flush=True)
        compare(large, small, args.steps)
    finally:
        shutil.rmtree(args.folder, ignore_errors=True)


if __name__ == "__main__":
    main()
