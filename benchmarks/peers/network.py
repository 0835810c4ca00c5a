"""The model of all contenders, 784-200-200-50 and back, and the objective of the plain loops."""

from pathlib import Path

import numpy as np
import torch
from torch import Tensor, nn
from torch.nn.functional import binary_cross_entropy_with_logits

PIXELS, HIDDEN, LATENT = 784, 200, 50
ADAM = {"lr": 0.001, "betas": (0.9, 0.999), "eps": 1e-8}
SAMPLES = 1000  # K, of each image's log p(x)


class Encoder(nn.Module):
    """Images (B, 784) to mean and log variance of q(z | x), each (B, 50)."""

    def __init__(self) -> None:
        super().__init__()
        self.hidden = nn.Sequential(
            nn.Linear(PIXELS, HIDDEN), nn.Tanh(), nn.Linear(HIDDEN, HIDDEN), nn.Tanh()
        )
        self.mean, self.log_variance = nn.Linear(HIDDEN, LATENT), nn.Linear(HIDDEN, LATENT)

    def forward(self, x: Tensor) -> tuple[Tensor, Tensor]:
        features = self.hidden(x)
        return self.mean(features), self.log_variance(features)


def decoder() -> nn.Sequential:
    """z (…, 50) to the logits of the pixels, (…, 784)."""
    return nn.Sequential(
        *(nn.Linear(LATENT, HIDDEN), nn.Tanh(), nn.Linear(HIDDEN, HIDDEN), nn.Tanh()),
        nn.Linear(HIDDEN, PIXELS),
    )


class Network(nn.Module):
    def __init__(self) -> None:
        super().__init__()
        self.encoder, self.decoder = Encoder(), decoder()

    def negative_elbo(self, x: Tensor) -> Tensor:
        """Of binary images (B, 784), in nats: the mean over images, with one sample of z each."""
        mean, log_variance = self.encoder(x)
        z = mean + torch.exp(0.5 * log_variance) * torch.randn_like(mean)
        distortion = binary_cross_entropy_with_logits(self.decoder(z), x, reduction="sum")
        rate = 0.5 * (mean**2 + log_variance.exp() - 1 - log_variance).sum()
        return (distortion + rate) / len(x)


def linear_layers(*modules: nn.Module) -> list[nn.Linear]:
    """Layers in the order of the model: encoder, mean, log variance, decoder."""
    return [part for module in modules for part in module.modules() if isinstance(part, nn.Linear)]


@torch.no_grad()
def load_weights(layers: list[nn.Linear], path: Path) -> None:
    stored = np.load(path)
    for place, layer in enumerate(layers):
        layer.weight.copy_(torch.from_numpy(stored[f"weight_{place}"]))
        layer.bias.copy_(torch.from_numpy(stored[f"bias_{place}"]))


def weights_of(layers: list[nn.Linear]) -> dict[str, np.ndarray]:
    """What load_weights reads."""
    weights = {f"weight_{place}": layer.weight for place, layer in enumerate(layers)}
    biases = {f"bias_{place}": layer.bias for place, layer in enumerate(layers)}
    return {name: value.detach().numpy().copy() for name, value in (weights | biases).items()}


def training_images(folder: Path) -> Tensor:
    """Grey training images in [0, 1], float32, shape (N, 784)."""
    return torch.from_numpy(np.load(folder / "train.npy")).float() / 255


def test_images(folder: Path) -> Tensor:
    """Binarised test images, float32, shape (N, 784)."""
    return torch.from_numpy(np.load(folder / "test_binary.npy")).float()
