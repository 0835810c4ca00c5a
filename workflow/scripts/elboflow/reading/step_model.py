"""What a training step takes, as a function of ranks and of the images that each of them works on.

    seconds = computing + waiting + adding
    computing = fixed + per_image x images                         of one rank
    waiting   = spread x e(n)
    adding    = start + hop x log2 n + 2 (n - 1) / n x bytes / bandwidth       for n > 1 ranks

e(n) is the mean of the largest of n standard normal numbers: what a rank waits for the slowest
where each takes `spread` more or less, by itself. 2 (n - 1) / n x bytes is what passes each rank's
link in a sum over ranks, in at least log2 n hops (Thakur, Rabenseifner and Gropp, Optimization of
collective communication operations in MPICH, 2005); `start` is what agreeing on the sum takes.
"""

import math
from collections.abc import Sequence
from dataclasses import dataclass

import numpy as np
from scipy.optimize import nnls
from scipy.special import ndtr

LEAST_COUNTS = 2  # of ranks above 1
BYTES_OF_LATENCY = 4  # added to measure it


@dataclass(frozen=True)
class Measured:
    """Seconds of a step on so many ranks."""

    ranks: int
    images: float  # of the batch, on each rank
    hosts: int
    oversubscribed: bool
    step: float
    computing: float
    waiting: float
    adding: float
    latency: float  # of adding BYTES_OF_LATENCY


@dataclass(frozen=True)
class StepModel:
    """The model's constants: seconds, and bytes/s."""

    fixed: float
    per_image: float
    spread: float
    start: float
    hop: float
    seconds_per_byte: float
    bytes: int

    def computing(self, images: float) -> float:
        return self.fixed + self.per_image * images

    def waiting(self, ranks: int) -> float:
        return self.spread * largest_of(ranks)

    def adding(self, ranks: int) -> float:
        terms = np.array(_terms(ranks, self.bytes))
        return float(terms @ [self.start, self.hop, self.seconds_per_byte])

    def step(self, ranks: int, images: float) -> float:
        return self.computing(images) + self.waiting(ranks) + self.adding(ranks)


class NoModel(ValueError):
    """What was measured is too little for a model; says why."""


def largest_of(count: int) -> float:
    """The mean of the largest of `count` standard normal numbers."""
    z = np.linspace(-10, 10, 20001)
    density = count * np.exp(-(z**2) / 2) / math.sqrt(2 * math.pi) * ndtr(z) ** (count - 1)
    return float(np.trapezoid(z * density, z))


def fit(measured: Sequence[Measured], size: int) -> StepModel:
    """The model of least relative squares, with no constant below 0.

    Args:
        size: bytes of the sum over ranks.

    Raises:
        NoModel: fewer than two numbers of ranks above 1 had cores, or GPUs, of their own.
    """
    own = [point for point in measured if not point.oversubscribed]
    several = [point for point in own if point.ranks > 1]
    if any(point.hosts > 1 for point in several):  # another network than that within a host
        several = [point for point in several if point.hosts > 1]
    counts = sorted({point.ranks for point in several})
    if len(counts) < LEAST_COUNTS:
        raise NoModel(_why_not(counts, several, len(own) < len(measured)))
    fixed, per_image = _least_squares(
        [(1, point.images) for point in own], [point.computing for point in own]
    )
    rows = [_terms(point.ranks, bytes_) for point in several for bytes_ in (size, BYTES_OF_LATENCY)]
    sums = [seconds for point in several for seconds in (point.adding, point.latency)]
    start, hop, seconds_per_byte = _least_squares(rows, sums)
    return StepModel(fixed, per_image, _spread(several), start, hop, seconds_per_byte, size)


def largest_error(model: StepModel, measured: Sequence[Measured]) -> float:
    """The share by which the model misses a measured step at most; oversubscribed ones aside."""
    return max(
        abs(model.step(point.ranks, point.images) / point.step - 1)
        for point in measured
        if not point.oversubscribed
    )


def _why_not(counts: list[int], several: Sequence[Measured], others: bool) -> str:
    """Too few counts of ranks, in words."""
    where = " over several hosts" if any(point.hosts > 1 for point in several) else ""
    found = f"only {counts[0]} ranks{where} were" if counts else "none was"
    shared = "; ranks that share cores or GPUs do not count" if others else ""
    return f"it takes two numbers of ranks above 1, and {found} measured{shared}"


def _terms(ranks: int, size: int) -> tuple[float, float, float]:
    """What `start`, `hop` and `seconds_per_byte` are multiplied with."""
    return float(ranks > 1), math.log2(ranks), 2 * (ranks - 1) / ranks * size


def _spread(several: Sequence[Measured]) -> float:
    """Of least squares."""
    expected = np.array([largest_of(point.ranks) for point in several])
    return float(expected @ [point.waiting for point in several] / (expected @ expected))


def _least_squares(rows: Sequence[Sequence[float]], seconds: Sequence[float]) -> list[float]:
    """Factors, none negative, of least relative squared error; columns may differ much in size."""
    terms = np.array(rows, dtype=float) / np.array(seconds)[:, None]
    scale = np.linalg.norm(terms, axis=0)
    return list(map(float, nnls(terms / scale, np.ones(len(rows)))[0] / scale))
