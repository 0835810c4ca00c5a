"""Two ways to p(y|x) on real data: learn it, or learn p(x|y) and p(y) and use Bayes' rule.

The discriminative model is logistic regression, over all classes where there are more than two. The
generative one has a Gaussian density for each class, whose covariance is that of probabilistic PCA
(Tipping and Bishop, JRSS B 61, 1999): itself a model with a latent, which can be integrated out.
"""

import math
from collections.abc import Sequence
from dataclasses import dataclass
from pathlib import Path

import numpy as np
import pandas as pd
from numpy.typing import NDArray
from scipy.special import logsumexp
from sklearn.datasets import load_digits
from sklearn.decomposition import PCA
from sklearn.linear_model import LogisticRegression

from elboflow.chapter.scores import at_threshold, precision_recall, reliability, scores
from elboflow.images.streams import drawn_order
from elboflow.vae.measure.quadrature import Array

THRESHOLDS = (0.5, 0.9)  # of p(y|x), marked in the figure
DIGIT = 8  # against all others
FACTORS = 10  # latent dimensions of each class
PENALTY = 1.0  # C of the logistic regression: the inverse weight of |w|^2 / 2


@dataclass(frozen=True)
class Task:
    """Rows and labels of the two splits, and which label is the one to be found."""

    data: str
    positive: int
    train: Array
    train_labels: NDArray[np.int64]
    test: Array
    test_labels: NDArray[np.int64]

    @property
    def is_positive(self) -> NDArray[np.bool_]:
        return self.test_labels == self.positive


def digits(test: NDArray[np.uint8], held_out: int, seed: int) -> Task:
    """The digits by the split of fetch_data, whose order of the images gives the labels as well.

    Args:
        test: the test images that fetch_data wrote.
        held_out: test and validation images together.
    """
    found = load_digits()
    order = drawn_order(len(found.data), seed, "split")
    tested, trained = order[: len(test)], np.sort(order[held_out:])
    if not np.array_equal(found.data[tested], test):
        raise AssertionError("the labels of the digits do not belong to the test images")
    return Task(
        data=f"digits: {DIGIT} or another",
        positive=DIGIT,
        train=found.data[trained],
        train_labels=found.target[trained],
        test=found.data[tested],
        test_labels=found.target[tested],
    )


def spambase(train: Array, train_labels: Array, test: Array, test_labels: Array) -> Task:
    """Spambase: logarithms of its frequencies, and 1 is spam."""
    return Task(
        data="Spambase: spam or not",
        positive=1,
        train=np.log1p(train),
        train_labels=train_labels.astype(np.int64),
        test=np.log1p(test),
        test_labels=test_labels.astype(np.int64),
    )


def tasks(
    test: NDArray[np.uint8], spambase_files: Sequence[str | Path], held_out: int, seed: int
) -> list[Task]:
    """The digits; and Spambase, of whose four arrays these are the files, or none."""
    found = [digits(test, held_out, seed)]
    if spambase_files:
        found.append(spambase(*(np.load(path) for path in spambase_files)))
    return found


def varying(task: Task) -> NDArray[np.bool_]:
    """The columns that tell anything: those that are not the same in all training rows."""
    return task.train.std(0) > 0


def standardise(task: Task) -> tuple[Array, Array]:
    """Training and test rows with the training rows' mean 0 and sd 1, without constant columns."""
    train, test = task.train[:, varying(task)], task.test[:, varying(task)]
    mean, sd = train.mean(0), train.std(0)
    return (train - mean) / sd, (test - mean) / sd


def discriminative(task: Task) -> Array:
    """log p(y = positive | x) of each test row, and log p(y != positive | x), shape (n, 2)."""
    train, test = standardise(task)
    model = LogisticRegression(C=PENALTY, max_iter=2000).fit(train, task.train_labels)
    return _two_cases(model.predict_log_proba(test), list(model.classes_).index(task.positive))


def generative(task: Task) -> tuple[Array, Array]:
    """The same by Bayes' rule, and log p(x) of each test row in the task's own units, (n,)."""
    train, test = standardise(task)
    classes = np.unique(task.train_labels)
    joint = []
    for label in classes:
        rows = train[task.train_labels == label]
        density = PCA(FACTORS, svd_solver="full").fit(rows)
        joint.append(density.score_samples(test) + math.log(len(rows) / len(train)))
    log_joint = np.stack(joint, 1)
    evidence = logsumexp(log_joint, axis=1)
    sd = task.train[:, varying(task)].std(0)
    conditional = log_joint - evidence[:, None]
    return (
        _two_cases(conditional, list(classes).index(task.positive)),
        evidence - np.log(sd).sum(),
    )


def _two_cases(log_probabilities: Array, positive: int) -> Array:
    others = np.delete(log_probabilities, positive, axis=1)
    return np.stack([log_probabilities[:, positive], logsumexp(others, axis=1)], 1)


def classifier_tables(tasks: list[Task]) -> dict[str, pd.DataFrame]:
    """Curves of precision and recall, reliability, and a row per data set, model and threshold."""
    curves, bins, rows = [], [], []
    for task in tasks:
        of_bayes, log_p = generative(task)
        models = {"discriminative": (discriminative(task), None), "generative": (of_bayes, log_p)}
        for model, (cases, evidence) in models.items():
            names = {"data": task.data, "model": model}
            score = np.exp(cases[:, 0])
            curves.append(precision_recall(score, task.is_positive).assign(**names))
            bins.append(reliability(score, task.is_positive).assign(**names))
            shared = scores(cases, task.is_positive, evidence)
            shared["constant"] = int((~varying(task)).sum())
            for threshold in THRESHOLDS:
                chosen = at_threshold(score, task.is_positive, threshold)
                rows.append({**names, **chosen, **shared})
    return {
        "curves": pd.concat(curves)[["data", "model", "threshold", "precision", "recall"]],
        "reliability": pd.concat(bins)[["data", "model", *bins[0].columns[:-2]]],
        "classifiers": pd.DataFrame(rows),
    }
