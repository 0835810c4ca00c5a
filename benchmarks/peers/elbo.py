"""One ELBO for the weights of all contenders, in numpy, and those that they all begin with."""

import numpy as np
from numpy.typing import NDArray

# What the layers take and give, in the order of network.py: encoder, mean, log variance, decoder.
SHAPES = [(784, 200), (200, 200), (200, 50), (200, 50), (50, 200), (200, 200), (200, 784)]
Floats = NDArray[np.float32]
Weights = dict[str, Floats]


def initial_weights(grey: NDArray[np.uint8], seed: int = 1) -> Weights:
    """Glorot-uniform weights, zero biases, and an output bias that shows the mean image."""
    draws = np.random.default_rng(seed)
    weights = {}
    for place, (inputs, outputs) in enumerate(SHAPES):
        bound = (6 / (inputs + outputs)) ** 0.5
        drawn = draws.uniform(-bound, bound, (outputs, inputs))
        weights[f"weight_{place}"] = drawn.astype(np.float32)
        weights[f"bias_{place}"] = np.zeros(outputs, np.float32)
    shown = (grey.mean(0) / 255).clip(0.001, 0.999)
    weights[f"bias_{len(SHAPES) - 1}"] = np.log(shown / (1 - shown)).astype(np.float32)
    return weights


def elbo(weights: Weights, binary: NDArray[np.uint8], samples: int = 10) -> float:
    """Mean ELBO of binary images (N, 784), in nats; always with the same noise."""
    draws = np.random.default_rng(0)
    parts = [_elbo_of_each(weights, part, samples, draws) for part in np.array_split(binary, 20)]
    return float(np.concatenate(parts).mean(dtype=np.float64))


def _elbo_of_each(
    weights: Weights, binary: NDArray[np.uint8], samples: int, draws: np.random.Generator
) -> Floats:
    def layer(place: int, x: Floats) -> Floats:
        return np.asarray(x @ weights[f"weight_{place}"].T + weights[f"bias_{place}"])

    x = binary.astype(np.float32)
    features = np.tanh(layer(1, np.tanh(layer(0, x))))
    mean, log_variance = layer(2, features), layer(3, features)
    rate = 0.5 * (mean**2 + np.exp(log_variance) - 1 - log_variance).sum(1)
    log_p = np.zeros(len(x), np.float32)
    for _ in range(samples):
        z = mean + np.exp(0.5 * log_variance) * draws.standard_normal(mean.shape, np.float32)
        logits = layer(6, np.tanh(layer(5, np.tanh(layer(4, z)))))
        log_p += (x * logits - np.logaddexp(0, logits)).sum(1)
    return np.asarray(log_p / samples - rate)
