"""Train a VAE with pythae and save it as it does, for `weights:` of pythae.yaml.

    PYTHON examples/train_with_pythae.py results/data/digits FOLDER

PYTHON has pythae 0.1.2: `pip install pythae==0.1.2`. FOLDER then holds environment.json,
model_config.json and model.pt, and the log p(x) of the test images by pythae's own get_nll is
printed, in nats.
"""

import sys
import tempfile
from pathlib import Path

import numpy as np
import torch
from pythae.data.datasets import BaseDataset
from pythae.models import VAE, VAEConfig
from pythae.trainers import BaseTrainer, BaseTrainerConfig

BINARISATIONS, EPOCHS = 20, 15  # pythae binarises nothing: 20 draws of each grey image


def main(data: Path, folder: Path) -> None:
    torch.manual_seed(0)
    grey = torch.from_numpy(np.load(data / "train.npy") / 16).float().view(-1, 1, 8, 8)
    train = torch.bernoulli(grey.repeat(BINARISATIONS, 1, 1, 1))
    model = VAE(VAEConfig(input_dim=(1, 8, 8), latent_dim=10, reconstruction_loss="bce"))
    config = BaseTrainerConfig(
        output_dir=tempfile.mkdtemp(),
        num_epochs=EPOCHS,
        per_device_train_batch_size=100,
        learning_rate=0.001,
        no_cuda=True,
    )
    dataset = BaseDataset(train, torch.zeros(len(train)))
    BaseTrainer(model, dataset, training_config=config).train()
    model.save(str(folder))
    test = torch.from_numpy(np.load(data / "test_binary.npy")).float().view(-1, 1, 8, 8)
    with torch.no_grad():
        for samples in (10, 100, 1000, 1999):
            print(f"get_nll, n_samples={samples}: {model.get_nll(test, samples):.4f}")


if __name__ == "__main__":
    main(Path(sys.argv[1]), Path(sys.argv[2]))
