"""The chapter's classifiers: Bayes' rule where it is known, and intervals that cover."""

import math
from dataclasses import replace

import numpy as np
import pandas as pd
import pytest
from scipy.stats import multivariate_normal
from sklearn.metrics import average_precision_score

from elboflow.chapter.classifiers import Task, discriminative, generative, varying
from elboflow.chapter.scores import (
    at_threshold,
    average_precision_interval,
    mean_loss_interval,
    reliability,
    wilson,
)


def blobs() -> Task:
    """Two Gaussian classes with the same covariance in 12 dimensions."""
    draws = np.random.default_rng(3)
    labels = draws.integers(0, 2, 3000)
    rows = draws.normal(size=(3000, 12)) + 0.5 * labels[:, None]
    return Task("blobs", 1, rows[:2000], labels[:2000], rows[2000:], labels[2000:])


@pytest.mark.promise(
    "classifiers",
    "near Bayes' rule where that is known",
    "two Gaussian classes, 2000 training rows: 0.5 nat of the log odds on average",
)
def test_both_classifiers_find_the_bayes_rule_of_gaussian_classes() -> None:
    """log p(1|x) / p(0|x) = 0.5 sum(x) - 12 / 8 for means 0 and 0.5, equal priors."""
    task = blobs()
    log_odds = 0.5 * task.test.sum(1) - 12 / 8
    for cases in (discriminative(task), generative(task)[0]):
        assert np.exp(cases).sum(1) == pytest.approx(1)
        found = cases[:, 0] - cases[:, 1]
        assert np.corrcoef(found, log_odds)[0, 1] > 0.97
        assert np.abs(found - log_odds).mean() < 0.5


@pytest.mark.promise(
    "classifiers",
    "log p(x) is a density of the data in their own units",
    "two Gaussian classes: 0.1 nat",
)
def test_the_generative_density_is_one_of_the_rows_in_their_own_units() -> None:
    task = blobs()
    densities = [multivariate_normal.logpdf(task.test, np.full(12, mean)) for mean in (0, 0.5)]
    truth = np.logaddexp(*densities) + math.log(0.5)
    assert generative(task)[1].mean() == pytest.approx(truth.mean(), abs=0.1)


def test_precision_recall_and_their_intervals() -> None:
    score = np.array([0.95, 0.9, 0.6, 0.4, 0.2])
    row = at_threshold(score, np.array([True, False, True, True, False]), 0.5)
    assert (row["true_positives"], row["false_positives"]) == (2, 1)
    assert (row["precision"], row["recall"]) == pytest.approx((2 / 3, 2 / 3))
    assert wilson(0, 10)[0] == pytest.approx(0, abs=1e-12)
    # Both ends p of Wilson's interval solve |share - p| = z sqrt(p (1 - p) / n).
    for end in wilson(7, 10):
        assert abs(0.7 - end) == pytest.approx(1.959964 * math.sqrt(end * (1 - end) / 10))


def scored(random: np.random.Generator, shift: float = 3.5) -> tuple[np.ndarray, np.ndarray]:
    """Scores of 26 positives among 397, as of the digits; normal, with that shift."""
    positive = np.arange(397) < 26
    return random.normal(size=397) + shift * positive, positive


@pytest.mark.promise(
    "classifiers",
    "intervals of average precision hold at least 95 %",
    "400 test sets of 26 positives among 397, true values 0.755 to 0.978: 94 % at least",
)
@pytest.mark.parametrize(("shift", "truth"), [(2.5, 0.755), (3.5, 0.945), (4.0, 0.978)])
def test_intervals_of_average_precision_cover(shift: float, truth: float) -> None:
    """True values: of eight test sets fifty times as large."""
    random, held = np.random.default_rng(6), 0
    for _ in range(400):
        score, positive = scored(random, shift)
        low, high = average_precision_interval(average_precision_score(positive, score), 26)
        held += low <= truth <= high
    assert held >= 0.94 * 400


def losses(random: np.random.Generator, count: int, sureness: float) -> np.ndarray:
    """Cross-entropies of exact log odds, one of 15 cases positive, multiplied by `sureness`."""
    positive = random.random(count) < 26 / 397
    x = random.normal(size=count) + 3.5 * positive
    log_odds = sureness * (3.5 * x - 3.5**2 / 2 + math.log(26 / 371))
    return np.logaddexp(0, np.where(positive, -log_odds, log_odds))


@pytest.mark.promise(
    "classifiers",
    "intervals of the cross-entropy hold 95 %",
    "1000 test sets of 397, right probabilities and too sure ones: 92 to 98 %",
)
@pytest.mark.parametrize("sureness", [1, 2, 4])
def test_intervals_of_the_cross_entropy_cover(sureness: float) -> None:
    random, held = np.random.default_rng(7), 0
    truth = losses(random, 1_000_000, sureness).mean()
    for _ in range(1000):
        low, high = mean_loss_interval(losses(random, 397, sureness))
        held += low <= truth <= high
    assert 920 <= held <= 980


@pytest.mark.promise(
    "classifiers",
    "a model whose probabilities are right is seldom called too sure or too unsure",
    "400 test sets drawn from p(y|x): 5 % of the bins at most; of one that is too sure, all",
)
def test_reliability_tells_right_probabilities_from_those_that_are_too_sure() -> None:
    random, outside = np.random.default_rng(8), []
    for _ in range(400):
        p = random.beta(0.3, 0.9, 397)
        bins = reliability(p, random.random(397) < p)
        outside.append((bins["mean_p"] < bins["share_low"]) | (bins["mean_p"] > bins["share_high"]))
    assert pd.concat(outside).mean() < 0.05
    sharper = reliability(np.full(397, 0.99), random.random(397) < 0.85)
    assert sharper["share_high"].item() < 0.99
    assert sharper[["cases", "from", "to"]].iloc[0].tolist() == [397, 0.9, 1.0]
    ends = reliability(np.array([0.0, 0.1, 1.0]), np.array([False, True, True]))
    assert ends["from"].tolist() == [0.0, 0.1, 0.9]


def test_constant_columns_say_nothing_and_are_left_out() -> None:
    task = blobs()
    padded = replace(
        task,
        train=np.pad(task.train, ((0, 0), (0, 3))),
        test=np.pad(task.test, ((0, 0), (0, 3))),
    )
    assert varying(padded).sum() == 12
    for one, other in zip(generative(task), generative(padded), strict=True):
        assert other == pytest.approx(one)
    assert discriminative(padded) == pytest.approx(discriminative(task))
