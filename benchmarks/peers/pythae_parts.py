"""pythae's trainer, and its get_nll.

    PYTHON pythae_parts.py training BATCH FOLDER
    PYTHON pythae_parts.py log_likelihood IMAGES FOLDER

Its progress bar cannot be switched off. get_nll is called without gradients, which it would else
keep, and with batches of 100 samples, its default.
"""

import sys
import tempfile
from pathlib import Path
from typing import Any

import torch
from pythae.data.datasets import BaseDataset, DatasetOutput
from pythae.models import VAE, VAEConfig
from pythae.models.base.base_utils import ModelOutput
from pythae.models.nn import BaseDecoder, BaseEncoder
from pythae.trainers import BaseTrainer, BaseTrainerConfig
from pythae.trainers.training_callbacks import TrainingCallback
from torch import Tensor

sys.path.insert(0, str(Path(__file__).parents[1]))

from peers import network
from peers.log_likelihood_loops import Estimates, estimate_for_ever
from peers.turns import Turns


class Encoder(BaseEncoder):
    def __init__(self) -> None:
        super().__init__()
        self.layers = network.Encoder()

    def forward(self, x: Tensor) -> ModelOutput:
        mean, log_variance = self.layers(x)
        return ModelOutput(embedding=mean, log_covariance=log_variance)


class Decoder(BaseDecoder):
    def __init__(self) -> None:
        super().__init__()
        self.layers = network.decoder()

    def forward(self, z: Tensor) -> ModelOutput:
        return ModelOutput(reconstruction=self.layers(z).sigmoid())


class Binarised(VAE):
    """Sees grey images, and binarises a batch afresh at each visit, as the usual loop does."""

    def forward(self, inputs: DatasetOutput, **_: Any) -> ModelOutput:
        return super().forward(DatasetOutput(data=torch.bernoulli(inputs["data"])))


class Counting(TrainingCallback):
    def __init__(self, turns: Turns) -> None:
        self.on_train_begin = lambda *_, **__: turns.begin()
        self.on_train_step_end = lambda *_, **__: turns.stepped()


def model(weights: Path) -> VAE:
    config = VAEConfig(
        input_dim=(network.PIXELS,), latent_dim=network.LATENT, reconstruction_loss="bce"
    )
    made = Binarised(config, Encoder(), Decoder())
    network.load_weights(network.linear_layers(made.encoder, made.decoder), weights)
    return made


def train(batch: int, folder: Path, made: VAE) -> None:
    grey = network.training_images(folder)
    layers = network.linear_layers(made.encoder, made.decoder)
    turns = Turns(batch, lambda: network.weights_of(layers))
    config = BaseTrainerConfig(
        output_dir=tempfile.mkdtemp(dir=folder),
        num_epochs=1_000_000,
        per_device_train_batch_size=batch,
        learning_rate=network.ADAM["lr"],
        optimizer_params={name: network.ADAM[name] for name in ("betas", "eps")},
        no_cuda=True,
    )
    data = BaseDataset(grey, torch.zeros(len(grey)))
    BaseTrainer(made, data, training_config=config, callbacks=[Counting(turns)]).train()


def estimate(images: int, folder: Path, made: VAE) -> None:
    def get_nll(x: Tensor) -> Tensor:
        """The mean of these images, for each: no more is returned."""
        return torch.full((len(x),), float(made.get_nll(x, network.SAMPLES)))

    estimates = Estimates()
    turns = Turns(images, estimates.result)
    estimate_for_ever(get_nll, network.test_images(folder), images, turns, estimates)


def main(kind: str, size: int, folder: Path) -> None:
    if kind == "training":
        train(size, folder, model(folder / "initial.npz"))
    else:
        estimate(size, folder, model(folder / "trained.npz"))


if __name__ == "__main__":
    main(sys.argv[1], int(sys.argv[2]), Path(sys.argv[3]))
