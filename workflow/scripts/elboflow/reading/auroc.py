"""How well one number tells two kinds apart: the area under the ROC curve, with its interval."""

from statistics import NormalDist
from typing import NamedTuple

import numpy as np

from elboflow.vae.measure.conventions import CONFIDENCE

TAIL = (1 - CONFIDENCE) / 2


class Auroc(NamedTuple):
    """P(a > b) + P(a = b) / 2 of a and b from either kind, and its 95 % interval."""

    value: float
    lower: float
    upper: float


def auroc(ours: np.ndarray, others: np.ndarray) -> Auroc:
    """The area, of two independent samples of at least two values each, shapes (n,) and (m,).

    Its variance is that of DeLong, DeLong and Clarke-Pearson, Biometrics 44 (1988) 837, which holds
    for any two distributions; the interval is symmetric in the log odds, and so within 0 and 1.
    Where no two values overlap that variance is 0: all of min(n, m) independent pairs agree then,
    which has the exact interval of Clopper and Pearson (1934).
    """
    above, below = shares_below(ours, others), 1 - shares_below(others, ours)
    value = float(above.mean())
    certain = TAIL ** (1 / min(len(ours), len(others)))
    if value == 1:
        return Auroc(value, certain, 1.0)
    if value == 0:
        return Auroc(value, 0.0, 1 - certain)
    variance = above.var(ddof=1) / len(ours) + below.var(ddof=1) / len(others)
    factor = np.exp(-NormalDist().inv_cdf(TAIL) * variance**0.5 / (value * (1 - value)))
    odds = value / (1 - value)
    return Auroc(value, *(float(end / (1 + end)) for end in (odds / factor, odds * factor)))


def shares_below(values: np.ndarray, others: np.ndarray) -> np.ndarray:
    """For each value the share of the others that are below it, equal ones counted half."""
    ordered = np.sort(others)
    ranks = [np.searchsorted(ordered, values, side) for side in ("left", "right")]
    return (ranks[0] + ranks[1]) / (2 * len(others))
