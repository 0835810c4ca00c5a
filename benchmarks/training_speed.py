"""Train on random images for some seconds and print images per second of all ranks, as JSON.

Started by ranks.py under the launcher; every process measures over the same span of time.
"""

import argparse
import json
import sys
import time
from pathlib import Path

import numpy as np

sys.path.insert(0, str(Path(__file__).parents[1] / "workflow" / "scripts"))

from elboflow.ranks.place import Worker
from elboflow.ranks.worker import start
from elboflow.stages.train import allreduce
from elboflow.vae.data import ImageShape, mean_image
from elboflow.vae.model.networks import VAE
from elboflow.vae.spec import TrainingSpec
from elboflow.vae.training.training import Training

PIXELS, LEVELS, IMAGES = 784, 255, 10_000
WARM_UP_STEPS = 30


def make_training(batch_size: int, worker: Worker) -> Training:
    """A VAE of the size of Burda et al. on random grey images."""
    spec = TrainingSpec(dataset="random", latent_dim=50, batch_size=batch_size, epochs=10_000)
    grey = np.random.default_rng(0).integers(0, LEVELS + 1, (IMAGES, PIXELS)).astype(np.uint8)
    vae = VAE(spec, ImageShape(28, 28, 1, LEVELS))
    vae.initialise(1, mean_image(grey, LEVELS))
    validation = np.zeros((0, PIXELS), np.uint8)
    return Training(
        vae, spec, 1, grey, LEVELS, validation, worker.rank, worker.size, allreduce(worker)
    )


def steps_per_second(training: Training, begin: float, seconds: float) -> float:
    """Steps per second between two moments of the clock."""
    for _ in range(WARM_UP_STEPS):
        training.advance()
    if time.time() > begin:
        raise SystemExit("the warm-up took too long: raise --settle")
    time.sleep(max(begin - time.time(), 0))
    first, started = training.step, time.perf_counter()
    while time.perf_counter() - started < seconds:
        for _ in range(10):
            training.advance()
    return (training.step - first) / (time.perf_counter() - started)


if __name__ == "__main__":
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("--images-per-rank", type=int, required=True, help="images of a step")
    parser.add_argument("--begin", type=float, required=True, help="Unix time to begin at")
    parser.add_argument("--seconds", type=float, required=True, help="how long to measure")
    arguments = parser.parse_args()
    this = start()
    batch = arguments.images_per_rank * this.size
    rate = steps_per_second(make_training(batch, this), arguments.begin, arguments.seconds)
    if this.rank == 0:
        print(json.dumps({"images_per_second": rate * batch}), flush=True)
