"""What classifiers are judged by, with 95 % intervals, and whether their p(y|x) is right."""

import math

import numpy as np
import pandas as pd
from numpy.typing import NDArray
from scipy.stats import t as student
from sklearn.metrics import average_precision_score, precision_recall_curve

from elboflow.vae.measure.quadrature import Array

Z = 1.959964  # standard normal, 95 % of which lie between -Z and Z
EDGES = (0.0, 0.1, 0.3, 0.5, 0.7, 0.9, 1.0)  # of p(y|x), in the reliability diagram


def wilson(hits: float, trials: int) -> tuple[float, float]:
    """The 95 % interval of a proportion. Wilson, JASA 22, 1927."""
    if trials == 0:
        return 0.0, 1.0
    share = hits / trials
    middle = (share + Z**2 / (2 * trials)) / (1 + Z**2 / trials)
    half = (
        math.sqrt(share * (1 - share) / trials + Z**2 / (4 * trials**2)) * Z / (1 + Z**2 / trials)
    )
    return max(middle - half, 0.0), min(middle + half, 1.0)


def average_precision_interval(value: float, positives: int) -> tuple[float, float]:
    """At least 95 %: Wilson's interval, with the positives as trials.

    Average precision is a mean over the positives of numbers from 0 to 1, whose variance is at most
    that of hits and misses (the binomial interval of Boyd, Eng and Page, ECML 2013). Near 1, where
    few positives are, the bootstrap's interval is too narrow.
    """
    return wilson(value * positives, positives)


def mean_loss_interval(losses: Array) -> tuple[float, float]:
    """95 %, of the mean of losses that are positive, most of them small: symmetric in its log.

    A few cases make most of the variance, which so is itself uncertain: Student's t with as many
    degrees of freedom as a variance of that error has, 2 n / (kurtosis - 1) (Satterthwaite, 1946).
    """
    mean, count = float(losses.mean()), len(losses)
    sd = float(losses.std(ddof=1))
    kurtosis = float(np.power(losses - mean, 4).mean()) / sd**4
    quantile = float(student.ppf(0.975, max(2 * count / (kurtosis - 1), 1)))
    half = quantile * sd / count**0.5 / mean
    return mean * math.exp(-half), mean * math.exp(half)


def reliability(score: Array, positive: NDArray[np.bool_]) -> pd.DataFrame:
    """Of the cases with p(y|x) between two EDGES, how many are positive; no bins without cases.

    In a bin whose probabilities are right the positives vary no more than a binomial number does.
    """
    rows = []
    place = np.clip(np.searchsorted(EDGES, score, side="right") - 1, 0, len(EDGES) - 2)
    for bin_ in np.unique(place):
        inside = place == bin_
        cases, hits = int(inside.sum()), int(positive[inside].sum())
        low, high = wilson(hits, cases)
        rows.append(
            {
                "from": EDGES[bin_],
                "to": EDGES[bin_ + 1],
                "cases": cases,
                "positives": hits,
                "mean_p": score[inside].mean(),
                "share": hits / cases,
                "share_low": low,
                "share_high": high,
            }
        )
    return pd.DataFrame(rows)


def at_threshold(score: Array, positive: NDArray[np.bool_], threshold: float) -> dict[str, float]:
    """Precision and recall of calling positive whatever has p(y|x) >= threshold."""
    called = score >= threshold
    true, false = int((called & positive).sum()), int((called & ~positive).sum())
    precision, recall = wilson(true, true + false), wilson(true, int(positive.sum()))
    return {
        "threshold": threshold,
        "test": len(score),
        "positives": int(positive.sum()),
        "true_positives": true,
        "false_positives": false,
        "precision": true / max(true + false, 1),
        "precision_low": precision[0],
        "precision_high": precision[1],
        "recall": true / int(positive.sum()),
        "recall_low": recall[0],
        "recall_high": recall[1],
    }


def scores(
    cases: Array, positive: NDArray[np.bool_], evidence: Array | None
) -> dict[str, float | None]:
    """What no threshold enters, with 95 % intervals; log p(x) with its data error.

    Args:
        cases: log p(y|x) of both cases, shape (n, 2).
        evidence: log p(x), shape (n,), of a model that has it.
    """
    precision = average_precision_score(positive, np.exp(cases[:, 0]))
    ends = average_precision_interval(precision, int(positive.sum()))
    losses = -np.where(positive, cases[:, 0], cases[:, 1])
    low, high = mean_loss_interval(losses)
    found: dict[str, float | None] = {
        "average_precision": precision,
        "average_precision_low": ends[0],
        "average_precision_high": ends[1],
        "cross_entropy_nats": losses.mean(),
        "cross_entropy_low_nats": low,
        "cross_entropy_high_nats": high,
        "log_p_nats": None,
        "log_p_error_nats": None,
    }
    if evidence is not None:
        error = evidence.std(ddof=1) / len(evidence) ** 0.5
        found |= {"log_p_nats": evidence.mean(), "log_p_error_nats": error}
    return found


def precision_recall(score: Array, positive: NDArray[np.bool_]) -> pd.DataFrame:
    """Precision and recall at each threshold that changes them; the last is above all scores."""
    precision, recall, thresholds = precision_recall_curve(positive, score, drop_intermediate=True)
    ends = np.append(thresholds, 1.0)
    return pd.DataFrame({"threshold": ends, "precision": precision, "recall": recall})
