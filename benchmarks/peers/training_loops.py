"""Training as it is written by hand: the usual loop, a tight one, and that compiled.

    PYTHON training_loops.py usual|tight|compiled|products BATCH FOLDER

`products` is no training: the matrix products of a step alone, which bound all of them.
"""

import sys
from collections.abc import Callable
from pathlib import Path

import torch
from torch import Tensor
from torch.utils.data import DataLoader, TensorDataset

sys.path.insert(0, str(Path(__file__).parents[1]))

from peers.network import ADAM, Network, linear_layers, load_weights, training_images, weights_of
from peers.turns import Turns


def usual(network: Network, grey: Tensor, batch: int, turns: Turns) -> None:
    """A DataLoader, eager Adam, and the loss read at every step."""
    loader = DataLoader(TensorDataset(grey), batch, shuffle=True, drop_last=True)
    optimiser = torch.optim.Adam(network.parameters(), **ADAM)
    total = 0.0
    turns.begin()
    while True:
        for (shown,) in loader:
            optimiser.zero_grad()
            loss = network.negative_elbo(torch.bernoulli(shown))
            loss.backward()
            optimiser.step()
            total += loss.item()
            turns.stepped()


def tight(
    objective: Callable[[Tensor], Tensor],
    network: Network,
    grey: Tensor,
    batch: int,
    turns: Turns,
) -> None:
    """Images indexed in memory, fused Adam, no loss read."""
    optimiser = torch.optim.Adam(network.parameters(), **ADAM, fused=True)
    turns.begin()
    while True:
        for chosen in torch.randperm(len(grey)).split(batch)[: len(grey) // batch]:
            optimiser.zero_grad()
            objective(torch.bernoulli(grey[chosen])).backward()
            optimiser.step()
            turns.stepped()


def products(network: Network, batch: int, turns: Turns) -> None:
    """Outputs, gradients of weights and gradients of inputs of all layers, each one product."""
    factors = []
    for place, layer in enumerate(linear_layers(network)):
        weight = layer.weight.detach()
        x, dy = torch.randn(batch, weight.shape[1]), torch.randn(batch, weight.shape[0])
        factors += [(x, weight.T, dy.clone()), (dy.T, x, weight.clone())]
        if place:  # nobody asks for the gradient of the images
            factors.append((dy, weight, x.clone()))
    turns.begin()
    while True:
        for left, right, out in factors:
            torch.mm(left, right, out=out)
        turns.stepped()


def main(kind: str, batch: int, folder: Path) -> None:
    torch.manual_seed(1)
    network, grey = Network(), training_images(folder)
    layers = linear_layers(network)
    load_weights(layers, folder / "initial.npz")
    turns = Turns(batch, lambda: weights_of(layers))
    if kind == "usual":
        usual(network, grey, batch, turns)
    elif kind == "products":
        products(network, batch, turns)
    else:
        objective = network.negative_elbo
        tight(
            torch.compile(objective) if kind == "compiled" else objective,
            network,
            grey,
            batch,
            turns,
        )


if __name__ == "__main__":
    main(sys.argv[1], int(sys.argv[2]), Path(sys.argv[3]))
