"""Confidence intervals of differences: of one pair of runs, and of many pairs at once."""

from collections.abc import Sequence

import numpy as np
from scipy.special import stdtrit  # scipy.stats takes a second to import

from elboflow.vae.measure.conventions import CONFIDENCE

DRAWS, AT_ONCE = 20_000, 500  # the share of draws beyond the quantile is right to 0.0015


def half_width(variances: Sequence[float], freedoms: Sequence[float], intervals: int = 1) -> float:
    """Half of the interval of an estimate whose error has independent parts.

    sqrt(sum of t^2 v), each part v with the quantile t of its own degrees of freedom: never held
    less often than it says, whatever the parts' true variances are (Banerjee, Sankhya 22 (1960)
    357). Welch and Satterthwaite's t of the sum is narrower, and misses too often where a part of
    few degrees of freedom, such as two seeds, is estimated small by chance. Of one part both are
    the usual interval.

    Args:
        freedoms: of the variances' estimates; infinite where one is known.
        intervals: how many are to hold together, by Bonferroni's inequality.
    """
    tail = (1 - CONFIDENCE) / 2 / intervals
    quantiles = stdtrit(freedoms, 1 - tail)  # Student's t
    return float(np.sqrt((np.square(quantiles) * variances).sum()))


def critical_value(values: np.ndarray, pairs: Sequence[tuple[int, int]]) -> float:
    """How many standard errors all intervals of paired differences need, to hold together.

    The largest |t| over the pairs is below it in 95 % of the samples of images where nothing
    differs: max-t in a single step, of Hothorn, Bretz and Westfall, Biometrical Journal 50 (2008)
    346. The means are drawn with the images' covariance, as a bootstrap over images with Gaussian
    weights draws them (Chernozhukov, Chetverikov and Kato, Annals of Statistics 41 (2013) 2786).

    Args:
        values: shape (images, columns), each pair of columns paired over images.
        pairs: columns that are compared.

    Returns:
        1.96 for one pair and many images, more for more pairs; 0 where no pair differs.
    """
    first, second = np.array(pairs).T
    root = np.asarray(np.linalg.qr(values - values.mean(0), mode="r"))  # of the covariance
    contrasts = root[:, first] - root[:, second]
    sizes = np.linalg.norm(contrasts, axis=0)
    contrasts = contrasts[:, sizes > 0] / sizes[sizes > 0]
    if not contrasts.size:
        return 0.0
    random, freedom = np.random.default_rng(0), len(values) - 1
    largest = [
        np.abs(random.standard_normal((AT_ONCE, len(root))) @ contrasts).max(1)
        for _ in range(DRAWS // AT_ONCE)
    ]
    scale = np.sqrt(random.chisquare(freedom, DRAWS) / freedom)
    return float(np.quantile(np.concatenate(largest) / scale, CONFIDENCE))
