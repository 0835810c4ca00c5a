"""Multi-layer perceptrons."""

import itertools

from torch import nn

from vae.spec import SpecError

ACTIVATIONS = {"tanh": nn.Tanh, "relu": nn.ReLU, "elu": nn.ELU, "gelu": nn.GELU}


def mlp(sizes: list[int], activation: str) -> nn.Sequential:
    """Linear layers of these sizes, each but the input followed by the activation."""
    if activation not in ACTIVATIONS:
        raise SpecError(f"activation: {activation!r} is unknown, use {', '.join(ACTIVATIONS)}")
    layers: list[nn.Module] = []
    for inputs, outputs in itertools.pairwise(sizes):
        layers += [nn.Linear(inputs, outputs), ACTIVATIONS[activation]()]
    return nn.Sequential(*layers)
