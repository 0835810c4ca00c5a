"""Whether importance weights have a mean that so many samples can find: the Pareto k diagnostic.

The tail of the weights is fitted by a generalised Pareto distribution. Its shape k says how many
moments they have, 1 / k: no variance from 1/2 on, no mean from 1 on. ESS and the largest weight are
themselves estimates from the samples that were drawn, and look well where the large weights were
missed; k is of the tail's form, and tells of weights that are still to come.

Vehtari et al., Pareto smoothed importance sampling, JMLR 25(72), 2024 (arXiv:1507.02646). Shapes:
M = weights in the tail, B = images.
"""

import math

import torch
from torch import Tensor

PRIOR_WEIGHTS, PRIOR_SHAPE = 10, 0.5  # as many weights' worth of prior on k: there, appendix
SMALLEST_TAIL = 5
ALIKE = 1e-3  # relative: float32 knows the weight of an image to about 1e-4


def tail_length(samples: int) -> int:
    """Weights that make the tail of K: the smaller of K / 5 and 3 sqrt(K)."""
    return math.ceil(min(samples / 5, 3 * math.sqrt(samples)))


def reliable_up_to(samples: int) -> float:
    """The largest k at which K samples estimate a mean well: 0.7, less for K below 2155."""
    return min(1 - 1 / math.log10(samples), 0.7) if samples > 1 else 0.0


def tail_shape(log_weights: Tensor) -> Tensor:
    """k of each image from its log weights (K, B) in nats, float64, shape (B,).

    nan where the tail has fewer than five weights.
    """
    length = tail_length(len(log_weights))
    if not SMALLEST_TAIL <= length < len(log_weights):
        return torch.full_like(log_weights[0], torch.nan)
    largest = log_weights.topk(length + 1, dim=0).values  # the tail begins above the last
    weights = (largest - largest[0]).exp()
    excess = (weights[:-1] - weights[-1]).flip(0)  # ascending
    fitted, _ = fit(excess)
    # Alike to within rounding: no tail. Apart beyond what float64 holds: the heaviest there is.
    fitted = torch.where(excess[-1] > ALIKE, fitted.nan_to_num(nan=torch.inf), 0.0)
    # A quarter of the tail ties with its threshold: few values, as of a discrete z, all seen.
    tied = largest[length - 1 - _quartile(length)] == largest[-1]
    fitted = torch.where(tied, 0.0, fitted)
    share = length / (length + PRIOR_WEIGHTS)
    return share * fitted + (1 - share) * PRIOR_SHAPE


def _quartile(count: int) -> int:
    """Place of the first quartile among ascending values."""
    return math.floor(count / 4 + 0.5) - 1


def fit(excess: Tensor) -> tuple[Tensor, Tensor]:
    """Shape and scale of the generalised Pareto distribution of values above 0, (M, B) to (B,).

    Zhang and Stephens, A new and efficient estimation method for the generalized Pareto
    distribution, Technometrics 51(3), 2009: the mean of b = -k / scale under a prior that the data
    set, over a grid of its values.

    Args:
        excess: ascending in each column.
    """
    count = len(excess)
    points = 30 + math.isqrt(count)
    grid = torch.arange(1, points + 1, dtype=excess.dtype, device=excess.device) - 0.5
    quartile = excess[_quartile(count)]
    b = 1 / excess[-1] + (1 - (points / grid).sqrt())[:, None] / (3 * quartile)  # (points, B)
    k = torch.stack([torch.log1p(-row * excess).mean(0) for row in b])
    profile = count * ((-b / k).log() - k - 1)
    best = (profile.softmax(0) * b).sum(0)
    shape = torch.log1p(-best * excess).mean(0)
    return shape, -shape / best
