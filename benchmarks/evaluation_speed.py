"""Measure a VAE of 784-200-200-50 units for some seconds each way, in one process of one thread.

Prints as JSON, by CPU time, the fastest of many repeats: images per second of log p(x) with
K = 1000 and of an ELBO with 100 samples, milliseconds of a leapfrog step of AIS and of the marginal
KL's bounds for one of 500 images, and images/s of the matrix products alone of K = 1000.
"""

import argparse
import json
import sys
import time
from collections.abc import Callable
from pathlib import Path

import numpy as np
import torch

sys.path.insert(0, str(Path(__file__).parents[1] / "workflow" / "scripts"))

from elboflow.vae.annealing.ais import Annealing, schedule
from elboflow.vae.annealing.chains import ChainNoise, path_of, start_of
from elboflow.vae.arithmetic import set_arithmetic
from elboflow.vae.data import ImageShape
from elboflow.vae.measure.estimate import estimate_elbo, estimate_log_likelihood, image_noise
from elboflow.vae.measure.rate_parts import rate_parts
from elboflow.vae.model.networks import VAE
from elboflow.vae.noise import Purpose
from elboflow.vae.spec import BoundsSpec, TrainingSpec

SPEC, IMAGES_OF_KL, TEMPERATURES = BoundsSpec(), 500, 20


def best(work: Callable[[], object], seconds: float) -> float:
    """CPU seconds of the fastest of as many repeats as fit, after one that is not counted."""
    work()
    found, begun = [], time.perf_counter()
    while not found or time.perf_counter() - begun < seconds:
        started = time.process_time()
        work()
        found.append(time.process_time() - started)
    return min(found)


def products(vae: VAE) -> Callable[[], None]:
    """The matrix products of 1000 samples of z."""
    layers = [layer for layer in [*vae.decoder, vae.output] if isinstance(layer, torch.nn.Linear)]
    inputs = [torch.randn(1000, layer.in_features) for layer in layers]

    def multiply() -> None:
        for layer, factor in zip(layers, inputs, strict=True):
            torch.mm(factor, layer.weight.T)

    return multiply


def leapfrog(vae: VAE, x: torch.Tensor) -> tuple[Callable[[], object], int]:
    """A sweep of AIS with the default chains, and its number of leapfrog steps."""
    numbers, q = range(len(x)), vae.encode(x)
    noise = ChainNoise(vae, 0, Purpose.AIS_FORWARD, numbers, SPEC.ais_chains)
    z = start_of(vae, q, "posterior", noise)
    step_sizes = [torch.full((len(x),), 0.05)] * (TEMPERATURES + 1)
    path, levels = path_of(vae, x, q, "posterior"), schedule(TEMPERATURES)
    annealing = Annealing(path, levels, SPEC.ais_leapfrog_steps, step_sizes)
    return lambda: annealing.forward(z, noise), (TEMPERATURES - 1) * SPEC.ais_leapfrog_steps


@torch.no_grad()
def measure(seconds: float) -> dict[str, float]:
    torch.set_num_threads(1)
    set_arithmetic("float32", deterministic=True)
    draws = np.random.default_rng(0)
    vae = VAE(TrainingSpec(latent_dim=50), ImageShape(28, 28, 1, 255)).requires_grad_(False)
    vae.initialise(1, torch.from_numpy(draws.uniform(0, 0.5, 784)))
    x = torch.from_numpy(draws.uniform(size=(IMAGES_OF_KL, 784)) < 0.25).float()
    some, chained = x[: SPEC.chunk_images], x[: SPEC.ais_chunk_images]
    q, chunk = vae.encode(some), SPEC.chunk_samples
    noise = image_noise(vae, 0, Purpose.IMPORTANCE, range(len(some)))
    weights = best(lambda: estimate_log_likelihood(vae, some, q, noise, 1000, chunk), seconds)
    elbo = best(lambda: estimate_elbo(vae, some, q, noise, SPEC.elbo_samples, chunk), seconds)
    sweep, steps = leapfrog(vae, chained)
    return {
        "log_likelihood_images_per_second": len(some) / weights,
        "elbo_images_per_second": len(some) / elbo,
        "leapfrog_step_ms": 1000 * best(sweep, seconds) / steps,
        "marginal_kl_ms_per_image": 1000 * best(lambda: rate_parts(vae, 0, x), seconds) / len(x),
        "products_alone_images_per_second": 1 / best(products(vae), seconds),
    }


if __name__ == "__main__":
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("--seconds", type=float, default=5, help="of each measurement")
    found = measure(parser.parse_args().seconds)
    print(json.dumps({name: round(value, 3) for name, value in found.items()}))
