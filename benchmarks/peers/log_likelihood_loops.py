"""log p(x) from K = 1000 samples of q, as it is written by hand.

    PYTHON log_likelihood_loops.py image|chunks|products IMAGES FOLDER

`image` decodes all samples of one image at once, `chunks` 50 samples of 20 images. `products` is no
estimate: the decoder's matrix products alone, which bound all of them.
"""

import itertools
import math
import sys
from collections.abc import Callable
from functools import partial
from pathlib import Path

import numpy as np
import torch
from torch import Tensor
from torch.nn.functional import binary_cross_entropy_with_logits

sys.path.insert(0, str(Path(__file__).parents[1]))

from peers.network import SAMPLES, Network, linear_layers, load_weights, test_images
from peers.turns import Turns


class Estimates(list[Tensor]):
    """Of one batch of images after another, in nats."""

    def result(self) -> dict[str, np.ndarray]:
        return {"log_likelihood": torch.cat(list(self)).numpy()}


def log_likelihood(network: Network, chunk: int, x: Tensor) -> Tensor:
    """Of images (B, D), in nats, shape (B,); `chunk` samples at a time."""
    mean, log_variance = network.encoder(x)
    sd = torch.exp(0.5 * log_variance)
    log_weights = []
    for _ in range(SAMPLES // chunk):
        epsilon = torch.randn(chunk, *mean.shape)
        z = mean + sd * epsilon
        logits = network.decoder(z)
        distortion = binary_cross_entropy_with_logits(
            logits, x.expand_as(logits), reduction="none"
        ).sum(-1)
        # The normalising constants of p(z) and q(z | x) cancel, but for q's sd.
        log_ratio = (0.5 * (epsilon**2 - z**2 + log_variance)).sum(-1)
        log_weights.append(log_ratio - distortion)
    return torch.cat(log_weights).logsumexp(0) - math.log(SAMPLES)


def image_by_image(network: Network, x: Tensor) -> Tensor:
    return torch.cat([log_likelihood(network, SAMPLES, image) for image in x.split(1)])


def products(network: Network, images: int) -> Callable[[Tensor], Tensor]:
    """The layers' outputs for 1000 z at a time, which is 1000 samples of one image."""
    weights = [layer.weight.detach() for layer in linear_layers(network.decoder)]
    factors = [torch.randn(SAMPLES, weight.shape[1]) for weight in weights]
    outputs = [torch.empty(SAMPLES, weight.shape[0]) for weight in weights]

    def compute(x: Tensor) -> Tensor:
        for _ in x:
            for factor, weight, out in zip(factors, weights, outputs, strict=True):
                torch.mm(factor, weight.T, out=out)
        return torch.zeros(images)

    return compute


@torch.no_grad()
def estimate_for_ever(
    estimate: Callable[[Tensor], Tensor],
    images: Tensor,
    batch: int,
    turns: Turns,
    estimates: Estimates,
) -> None:
    """Go through the images `batch` at a time, again and again."""
    turns.begin()
    for x in itertools.cycle(images.split(batch)):
        estimates.append(estimate(x))
        turns.stepped()


def main(kind: str, batch: int, folder: Path) -> None:
    torch.manual_seed(1)
    network = Network()
    load_weights(linear_layers(network), folder / "trained.npz")
    estimate = {
        "image": partial(image_by_image, network),
        "chunks": partial(log_likelihood, network, 50),
        "products": products(network, batch),
    }[kind]
    estimates = Estimates()
    turns = Turns(batch, estimates.result)
    estimate_for_ever(estimate, test_images(folder), batch, turns, estimates)


if __name__ == "__main__":
    main(sys.argv[1], int(sys.argv[2]), Path(sys.argv[3]))
