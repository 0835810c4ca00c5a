"""Training and log p(x) by ELBOFlow, on the ranks of its launcher.

    launch.sh … -- ours.py training BATCH FOLDER
    launch.sh … -- ours.py log_likelihood 0 FOLDER

Images of log p(x) are taken as many at once as an evaluation does by default.
"""

import sys
from pathlib import Path

import numpy as np
import torch

sys.path.insert(0, str(Path(__file__).parents[1]))
sys.path.insert(0, str(Path(__file__).parents[2] / "workflow" / "scripts"))

from peers.network import LATENT, SAMPLES, linear_layers, load_weights, test_images, weights_of
from peers.turns import Alone, Arrays, Turns

from elboflow.ranks.collectives import gather, share_object
from elboflow.ranks.place import Worker
from elboflow.ranks.worker import start
from elboflow.stages.train import allreduce
from elboflow.vae.arithmetic import set_arithmetic
from elboflow.vae.data import ImageShape
from elboflow.vae.measure.estimate import estimate_log_likelihood, image_noise
from elboflow.vae.model.networks import VAE
from elboflow.vae.noise import Purpose
from elboflow.vae.spec import EvaluationSpec, TrainingSpec
from elboflow.vae.training.training import Training

LOG_SD = 3  # the place among the layers of what the others have as log variance, twice as large


class Ranks(Alone):
    """All ranks hear rank 0's lines, and answer when the slowest is done."""

    def __init__(self, worker: Worker) -> None:
        self.rank = worker.rank

    def line(self) -> str:
        return share_object(super().line() if self.rank == 0 else None, "line")

    def slowest(self, seconds: float) -> float:
        return max(gather(seconds))


def in_log_variances(stored: Arrays, factor: float) -> Arrays:
    scaled = {f"weight_{LOG_SD}", f"bias_{LOG_SD}"}
    return {name: array * factor if name in scaled else array for name, array in stored.items()}


def model(spec: TrainingSpec, weights: Path) -> VAE:
    set_arithmetic(spec.precision, spec.deterministic)
    vae = VAE(spec, ImageShape(28, 28, 1, 255))
    layers = linear_layers(vae)
    load_weights(layers, weights)
    with torch.no_grad():
        layers[LOG_SD].weight /= 2
        layers[LOG_SD].bias /= 2
    return vae


def train(batch: int, folder: Path, worker: Worker) -> None:
    spec = TrainingSpec("fashion-mnist", latent_dim=LATENT, batch_size=batch, epochs=10_000)
    vae = model(spec, folder / "initial.npz")
    grey, none = np.load(folder / "train.npy"), np.zeros((0, 784), np.uint8)
    parts = (worker.rank, worker.size, allreduce(worker))
    training = Training(vae, spec, 1, grey, 255, none, *parts)
    layers = linear_layers(vae)
    turns = Turns(batch, lambda: in_log_variances(weights_of(layers), 2), Ranks(worker))
    turns.begin()
    while True:
        training.advance()
        turns.stepped()


@torch.no_grad()
def estimate(folder: Path, worker: Worker) -> None:
    spec = EvaluationSpec(importance_samples=SAMPLES)
    vae = model(TrainingSpec(latent_dim=LATENT), folder / "trained.npz")
    images, estimates = test_images(folder), []
    batch = spec.chunk_images

    def result() -> Arrays:
        """In the order of the images, which ranks take turns at."""
        found = zip(*gather(estimates), strict=True)
        return {"log_likelihood": torch.cat([part for step in found for part in step])}

    turns = Turns(batch * worker.size, result, Ranks(worker))
    turns.begin()
    while True:
        first = (len(estimates) * worker.size + worker.rank) * batch % (len(images) - batch)
        x, numbers = images[first : first + batch], range(first, first + batch)
        noise = image_noise(vae, 0, Purpose.IMPORTANCE, numbers)
        weights = estimate_log_likelihood(vae, x, vae.encode(x), noise, SAMPLES, spec.chunk_samples)
        estimates.append(weights.log_likelihood)
        turns.stepped()


if __name__ == "__main__":
    kind, size, place = sys.argv[1], int(sys.argv[2]), Path(sys.argv[3])
    this = start()
    if kind == "training":
        train(size, place, this)
    else:
        estimate(place, this)
