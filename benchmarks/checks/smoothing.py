"""Pareto-smoothed importance sampling beside the plain kind, on linear models.

Vehtari et al., Pareto smoothed importance sampling, JMLR 25(72), 2024 (arXiv:1507.02646): the
largest weights are replaced by the quantiles of the distribution that pareto.py fits to them. Kept
out of the evaluation: see benchmarks/README.md.
"""

import math
import time
from collections.abc import Iterator

import numpy as np
import torch
from checks.models import linear_vae
from checks.rows import Row, sampled
from torch import Tensor

from elboflow.vae.measure.estimate import image_noise
from elboflow.vae.measure.pareto import PRIOR_SHAPE, PRIOR_WEIGHTS, fit, tail_length
from elboflow.vae.model.draws import draw
from elboflow.vae.model.linear_gaussian import maximum_likelihood
from elboflow.vae.noise import Purpose

IMAGES, REPEATS = 200, 20


def smoothed(log_weights: Tensor) -> Tensor:
    """Log of the mean smoothed weight, (K, B) to (B,); none above the largest, as there."""
    count = tail_length(len(log_weights))
    top = log_weights.topk(count + 1, dim=0).values
    shape, scale = fit((top[:-1] - top[0]).exp().sub((top[-1] - top[0]).exp()).flip(0))
    shape = (count * shape + PRIOR_WEIGHTS * PRIOR_SHAPE) / (count + PRIOR_WEIGHTS)
    above = 1 - (torch.arange(1, count + 1, dtype=shape.dtype)[:, None] - 0.5) / count
    tail = (top[-1] - top[0]).exp() + scale / shape * (above**-shape - 1)
    weights = (log_weights - top[0]).exp()
    rest = weights.sum(0) - weights.topk(count, dim=0).values.sum(0)
    return top[0] + (rest + tail.clamp(max=1).sum(0)).log() - math.log(len(log_weights))


def smoothing(images: np.ndarray) -> Iterator[Row]:
    """Print bias and rms error, of single images and of the mean; weights of q, K = 1000."""
    x = torch.from_numpy(images[:IMAGES])
    for latent, shrink, widen in ((2, 0.9, 0.5), (10, 0.9, 0.5), (20, 0.9, 2.0), (20, 1.0, 0.5)):
        best = maximum_likelihood(images, latent)
        vae, log_p = linear_vae(best, shrink, widen), best.log_likelihood(images[:IMAGES])
        q, off, seconds = vae.encode(x), [], 0.0
        for seed in range(REPEATS):
            noise = image_noise(vae, seed, Purpose.IMPORTANCE, range(IMAGES))(0, 1000)
            weights = draw(vae, x, noise, q).log_weights
            began = time.monotonic()
            found = weights.logsumexp(0) - math.log(1000), smoothed(weights)
            seconds += (time.monotonic() - began) / REPEATS
            off.append(torch.stack(found).numpy() - log_p)
        for place, name in enumerate(("plain", "smoothed")):
            each = np.array(off)[:, place]
            rms, of_mean = (np.sqrt(np.square(v).mean()) for v in (each, each.mean(1)))
            print(
                f"L = {latent}, q = N({shrink} m, {widen} v), {name}: bias {-each.mean():.4f}, "
                f"rms {rms:.4f}, of the mean {of_mean:.4f} nats, {seconds:.2f} seconds"
            )
        case = f"L = {latent}, q = N({shrink} m, {widen} v), K = 1000"
        means = torch.tensor(np.array(off)[:, 0].mean(1))
        yield sampled(f"L_K - log p(x), {case}", 0.0, means, "≤")
