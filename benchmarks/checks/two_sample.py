"""Real against made images: sizes where there is nothing to find, and cases that must be found."""

import math
from collections.abc import Iterator

import numpy as np
import torch
from checks.models import noise
from checks.rows import Row, counted, sampled
from torch import Tensor

from elboflow.vae.data import ImageShape
from elboflow.vae.measure.divergence import divergence_bound
from elboflow.vae.measure.neighbours import halves, nearer_to_first

DIGITS, FASHION_SIZE = ImageShape(8, 8, 1, 1), ImageShape(28, 28, 1, 1)
OFF = 2.24  # standard deviations, of two halves
Draws = np.random.Generator


def binary(images: np.ndarray, random: Draws, flipped: float = 0.0) -> Tensor:
    """Pixels that are on with their grey level, and some of them turned around."""
    on = random.random(images.shape) < images
    return torch.from_numpy(on ^ (random.random(images.shape) < flipped)).double()


def equal_kinds(images: np.ndarray, repeats: int = 30, count: int = 100) -> Iterator[Row]:
    """Binary digits against others, split anew each time."""
    random = np.random.default_rng(0)
    differ, bounds, nearest = [], [], []
    for repeat in range(repeats):
        chosen = images[random.permutation(len(images))[: 4 * count]]
        real, made, more, other = binary(chosen, random).split(count)
        found = halves(real, made)
        mean, sd = found.null
        differ.append(any(abs(half[0] - mean) > OFF * sd for half in (found.real, found.made)))
        bounds.append(divergence_bound(real, made, DIGITS, repeat))
        (share, _), (half, spread) = nearer_to_first(made, more, other)
        nearest.append((share - half) / spread)
    values, errors = torch.tensor(bounds, dtype=torch.float64).T
    kinds = f"{count} digits against {count}"
    yield counted(f"a half is off by 2.24 sd, {kinds}", 0.05, differ, "≤")
    yield counted(f"bound above two errors, {kinds}", 0.05, values > 2 * errors, "≤")
    yield sampled(f"bound, {kinds}", 0.0, values, "≤")
    yield counted(f"nearer to training by 2 sd, {kinds}", 0.025, [n > 2 for n in nearest], "≤")


def known_divergence(images: np.ndarray, repeats: int = 10) -> Iterator[Row]:
    """N(0, I) against a shifted one in four dimensions, 100 images of each kind."""
    shape = ImageShape(2, 2, 1, 1)
    for shift in (1.0, 2.0, 5.0):
        axis, found = np.linspace(-10, 10 + shift, 20_001), []
        p, q = (np.exp(-0.5 * (axis - mean) ** 2) / (2 * np.pi) ** 0.5 for mean in (0, shift))
        entropy = p * np.log1p(q / p) + q * np.log1p(p / q)  # twice that of the kind, given x
        truth = math.log(2) - 0.5 * float(np.trapezoid(entropy, axis))
        for repeat in range(repeats):
            real, made = noise(200, 4, seed=1000 * int(shift) + repeat).split(100)
            found.append(divergence_bound(real, made + shift / 2, shape, repeat))
        values, errors = torch.tensor(found, dtype=torch.float64).T
        above = values - 2 * errors > truth
        name = f"divergence {truth:.3f}"
        yield counted(f"bound less two errors is above the {name}", 0.05, above, "≤")
        yield sampled(f"bound on a {name}", truth, values, "≤")


def unequal_kinds(images: np.ndarray, count: int = 200) -> Iterator[Row]:
    """What has a mean of 0.5 over both halves, or passes by neighbours, and must not pass."""
    random = np.random.default_rng(1)
    chosen = images[random.permutation(len(images))]
    real = binary(chosen[:count], random)
    gauss, other = noise(2 * count, 784).split(count)
    mean = np.repeat(images.mean(0)[None], count, 0)
    cases = {
        "10 % of the pixels flipped": (real, binary(chosen[-count:], random, 0.1), DIGITS),
        "N(0, 0.81 I) against N(0, I)": (gauss, 0.9 * other, FASHION_SIZE),
        "pixels of the mean image": (real, binary(mean, random), DIGITS),
        "one image alone": (real, real[:1].expand(count, -1), DIGITS),
    }
    for name, (kept, made, shape) in cases.items():
        bound, error = divergence_bound(kept, made, shape, 1)
        yield Row(f"bound in errors, {name}", 5.0, bound / error, 0.0, "≥")
    found = halves(gauss, 0.9 * other)
    yield Row("real, nearest real, N(0, 0.81 I) against N(0, I)", 0.0, found.real[0], 0.02)
    yield Row("made, nearest made, N(0, 0.81 I) against N(0, I)", 1.0, found.made[0], 0.02)
    copies = binary(chosen[count : 2 * count], random, 0.01)
    known, new = binary(chosen[count : 2 * count], random), binary(chosen[2 * count :], random)
    (share, _), (half, spread) = nearer_to_first(copies, known, new[:count])
    name = "nearer to training images in sd, copies of digits, binarised anew"
    yield Row(name, 3.0, (share - half) / spread, 0.0, "≥")
