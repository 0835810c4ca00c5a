"""Training by PyTorch Lightning's Trainer.

    PYTHON lightning_trainer.py BATCH FOLDER

Logger, checkpoints, progress bar and the summary of the model are off.
"""

import sys
from pathlib import Path
from typing import Any

import pytorch_lightning as lightning
import torch
from torch import Tensor
from torch.utils.data import DataLoader, TensorDataset

sys.path.insert(0, str(Path(__file__).parents[1]))

from peers.network import ADAM, Network, linear_layers, load_weights, training_images, weights_of
from peers.turns import Turns


class Model(lightning.LightningModule):
    def __init__(self) -> None:
        super().__init__()
        self.network = Network()

    def training_step(self, batch: list[Tensor], _: int) -> Tensor:
        return self.network.negative_elbo(torch.bernoulli(batch[0]))

    def configure_optimizers(self) -> torch.optim.Optimizer:
        return torch.optim.Adam(self.parameters(), **ADAM)


class Counting(lightning.Callback):
    def __init__(self, turns: Turns) -> None:
        self.on_train_start = lambda *_: turns.begin()
        self.on_train_batch_end = lambda *_: turns.stepped()


def main(batch: int, folder: Path) -> None:
    lightning.seed_everything(1)
    model = Model()
    layers = linear_layers(model)
    load_weights(layers, folder / "initial.npz")
    loader = DataLoader(TensorDataset(training_images(folder)), batch, shuffle=True, drop_last=True)
    off: dict[str, Any] = dict.fromkeys(
        ("logger", "enable_checkpointing", "enable_progress_bar", "enable_model_summary"), False
    )
    counting = Counting(Turns(batch, lambda: weights_of(layers)))
    trainer = lightning.Trainer(accelerator="cpu", max_epochs=-1, callbacks=[counting], **off)
    trainer.fit(model, loader)


if __name__ == "__main__":
    main(int(sys.argv[1]), Path(sys.argv[2]))
