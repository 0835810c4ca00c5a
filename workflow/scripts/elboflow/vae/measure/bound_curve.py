"""The importance-weighted bound against K, and what lies between its last value and log p(x).

L_K = log (1/K) sum_k w_k is below log p(x) on average, by a bias that falls with K as slowly as the
weights' tail is heavy: as 1/K where their variance is finite and K large, else as K^-a with a small
a. The K weights in hand hold two draws of L_(K/2), four of L_(K/4) and so on: the increments
D_j = L_(K/2^j) - L_(K/2^(j+1)) have small, paired errors, and show how fast they fall.

The increments are taken to go on as D(t) = D_0 2^-(a t + d t^2 / 2) at K 2^t. The exponent may rise
with K until it is 1, that of a finite variance, or fall, where ever rarer weights come in; all of
a = 0.05 to 1.3 and d = -0.04 to 0.06 are weighed by how well they fit the last increments, which
gives the bias with its uncertainty. (a = 1, d = 0 is the jackknife of Nowozin, ICLR 2018, of first
order.) What no weight in hand tells of, such as a mode of p(z | x) that was not met for any image,
this cannot know.

N = images, H = halvings, J = increments that are fitted.
"""

from collections.abc import Sequence
from dataclasses import dataclass

import numpy as np
import torch

from elboflow.vae.measure.conventions import CONFIDENCE

EXPONENTS, DRIFTS = np.linspace(0.05, 1.3, 51), np.linspace(-0.04, 0.06, 6)
SLOWEST = 0.1  # exponent to which it may fall
FITTED = 4  # of the increments, the last ones
FORM_ERROR = (
    0.05  # by which an increment may be off that form, relative, for each halving away from K
)
ROUNDING = 1e-9  # nats: where all weights are equal nothing else is left
STEPS = 60  # doublings of K that are summed one by one


@dataclass(frozen=True)
class Point:
    """The mean bound over images at one K and its rise from K / 2, in nats (None: none smaller).

    monte_carlo_error is of the bound for these images, rise_error one standard error over them.
    """

    samples: float
    bound: float
    monte_carlo_error: float
    rise: float | None
    rise_error: float | None


@dataclass(frozen=True)
class Extrapolated:
    """The mean log p(x) of N images as their importance weights tell of it, in nats.

    monte_carlo_error: of the mean L_K, whose noise is independent between images.
    bias, bias_error: log p(x) - E L_K, a median, and half of what holds 68 % of its probability.
    lower, upper: 95 % interval of the mean log p(x) of these images, bias included.
    """

    monte_carlo_error: float
    bias: float
    bias_error: float
    lower: float
    upper: float


def halvings(log_means: np.ndarray, sizes: np.ndarray) -> list[np.ndarray]:
    """L_(K/2^j) of the 2^j disjoint parts, shape (N, 2^j) for j = 0 .. H.

    Args:
        log_means: log of the mean weight in each block, shape (N, 2^H).
        sizes: samples in each block, shape (2^H,).
    """
    found = [log_means]
    log_sums = log_means + np.log(sizes)
    while log_sums.shape[1] > 1:
        log_sums = np.logaddexp(log_sums[:, ::2], log_sums[:, 1::2])
        sizes = sizes[::2] + sizes[1::2]
        found.append(log_sums - np.log(sizes))
    return found[::-1]


def increments(parts: Sequence[np.ndarray]) -> np.ndarray:
    """D_j of each image, shape (H, N): never below 0, since the logarithm is concave."""
    means = np.array([part.mean(1) for part in parts])
    return np.maximum(means[:-1] - means[1:], 0)


def decay(parts: Sequence[np.ndarray]) -> float:
    """By how much the variance of L_K falls from K/2 to K: 1/2, or less where tails are heavy.

    As it fell from K/8 to K/2, pooled over images; 1 where that is not known.
    """
    variances = [part.var(1, ddof=1).mean() for part in parts[1:4]]
    if len(variances) < 2 or variances[-1] == 0:
        return 1.0
    return float(np.clip((variances[0] / variances[-1]) ** (1 / (len(variances) - 1)), 0.5, 1))


def errors(parts: Sequence[np.ndarray]) -> np.ndarray:
    """Monte Carlo errors of L_K, shape (N,), of which only sums of squares over images mean much.

    From the two halves of an image's samples: one degree of freedom each. Those of many images,
    pooled, know of tails that most of them have not met; the delta method with the weights of one
    image does not, and cannot exceed 1 nat.
    """
    halves = parts[1]
    return np.abs(halves[:, 0] - halves[:, 1]) * np.sqrt(decay(parts) / 2)


def curve(parts: Sequence[np.ndarray], samples: int) -> list[Point]:
    """The bound at K = `samples`, K/2 .. K/2^H, as the mean over its 2^j disjoint parts."""
    images, found = len(parts[0]), []
    variances = [np.square(errors(parts)).mean(), *(p.var(1, ddof=1).mean() for p in parts[1:])]
    rises = [(r.mean(), r.std(ddof=1) / images**0.5) for r in increments(parts)]
    for j, (part, variance) in enumerate(zip(parts, variances, strict=True)):
        error = float(np.sqrt(variance / part.size))
        rise, rise_error = map(float, rises[j]) if j < len(rises) else (None, None)
        found.append(Point(samples / 2**j, float(part.mean()), error, rise, rise_error))
    return found


def extrapolate(parts: Sequence[np.ndarray]) -> Extrapolated:
    """What is between the mean L_K of the images and their mean log p(x)."""
    own = errors(parts)
    bound, error = float(parts[0].mean()), float(np.sqrt(np.square(own).sum()) / len(own))
    weights, bias, bias_error = _biases(increments(parts)[:FITTED])
    together = _correlation(parts)
    total = np.sqrt(error**2 + 2 * together * error * bias_error + bias_error**2)
    tail = (1 - CONFIDENCE) / 2
    lower, upper = (_quantile(weights, bound + bias, total, p) for p in (tail, 1 - tail))
    low, median, high = (_quantile(weights, bias, bias_error, p) for p in (0.16, 0.5, 0.84))
    return Extrapolated(error, median, (high - low) / 2, lower, upper)


def _biases(measured: np.ndarray) -> tuple[np.ndarray, np.ndarray, np.ndarray]:
    """For each form of the curve its weight, the bias that it makes of the D_j, and the error.

    Generalised least squares for D_0 under each form, under which D_0 is marginalised.

    Args:
        measured: increments (J, N).
    """
    shapes, factors = _forms(len(measured))
    y = measured.mean(1)
    off = np.diag(np.square(FORM_ERROR * np.arange(len(y)) * y) + ROUNDING**2)
    precision = np.linalg.inv(np.atleast_2d(np.cov(measured)) / measured.shape[1] + off)
    information = np.einsum("fi,ij,fj->f", shapes, precision, shapes)
    scores = shapes @ precision @ y
    first = np.maximum(scores / information, 0)
    chi2 = np.square(first) * information - 2 * first * scores
    log_weights = -0.5 * (chi2 + np.log(information))
    weights = np.exp(log_weights - log_weights.max())
    return weights / weights.sum(), factors * first, factors / np.sqrt(information)


def _forms(count: int) -> tuple[np.ndarray, np.ndarray]:
    """Of all exponents and drifts D_j / D_0, (forms, count), and bias / D_0, (forms,)."""
    exponent, drift = (grid.reshape(-1, 1) for grid in np.meshgrid(EXPONENTS, DRIFTS))
    back = np.arange(count)
    shapes = 2.0 ** (exponent * back - drift * back**2 / 2)
    ahead = exponent + drift * (np.arange(STEPS) + 0.5)
    ahead = ahead.clip(np.minimum(exponent, SLOWEST), np.maximum(exponent, 1))
    terms = 2.0 ** -ahead.cumsum(1)
    return shapes, terms.sum(1) + terms[:, -1] / (2 ** ahead[:, -1] - 1)


def _correlation(parts: Sequence[np.ndarray]) -> float:
    """Of the noise of L_K and of D_0, from the halves: a large weight that is met raises both."""
    if len(parts) < 3:
        return 1.0
    halves, quarters = parts[1], parts[2]
    rises = halves - (quarters[:, ::2] + quarters[:, 1::2]) / 2
    of_bound, of_rise = halves[:, 0] - halves[:, 1], rises[:, 0] - rises[:, 1]
    size = np.sqrt(np.square(of_bound).sum() * np.square(of_rise).sum())
    return float(np.clip((of_bound * of_rise).sum() / size, 0, 1)) if size > 0 else 1.0


def _quantile(weights: np.ndarray, means: np.ndarray, sds: np.ndarray, share: float) -> float:
    """Where a mixture of normal distributions has that share below, by bisection."""
    low, high = float((means - 9 * sds).min()), float((means + 9 * sds).max())
    for _ in range(60):
        middle = (low + high) / 2
        below = torch.special.ndtr(torch.from_numpy((middle - means) / sds)).numpy()
        low, high = (middle, high) if weights @ below < share else (low, middle)
    return (low + high) / 2
