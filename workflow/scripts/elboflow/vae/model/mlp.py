"""Multi-layer perceptrons."""

import itertools

from torch import nn

from elboflow.vae.spec import SpecError

ACTIVATIONS = {"tanh": nn.Tanh, "relu": nn.ReLU, "elu": nn.ELU, "gelu": nn.GELU}


def activation_named(name: str) -> nn.Module:
    """The nonlinearity of that name in the specification."""
    if name not in ACTIVATIONS:
        raise SpecError(f"activation: {name!r} is unknown, use {', '.join(ACTIVATIONS)}")
    return ACTIVATIONS[name]()


def mlp(sizes: list[int], activation: str) -> nn.Sequential:
    """Linear layers of these sizes, each but the input followed by the activation."""
    layers: list[nn.Module] = []
    for inputs, outputs in itertools.pairwise(sizes):
        layers += [nn.Linear(inputs, outputs), activation_named(activation)]
    return nn.Sequential(*layers)
