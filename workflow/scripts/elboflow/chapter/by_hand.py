"""Examples of the chapter so small that a reader can work them out again with a calculator."""

import itertools
import math
from typing import Any

import numpy as np
import pandas as pd

from elboflow.chapter.jensen import CASES, PRIOR, WORD_SHARES, WORDS, joint
from elboflow.chapter.tables import Disagreement
from elboflow.vae.measure.quadrature import Array

SPAM, NO_SPAM = 4, 6  # mails that are counted, of which the prior is the share
SHARES = np.arange(1, 10) / 10  # of spam
STANDARD, NARROW = (0.0, 1.0), (1.0, 0.5)  # mean and standard deviation of two Gaussians
NODES = np.linspace(-12, 12, 4801)  # where the lighter of both is below e^-70
ROOTS = 8  # of Gauss-Hermite quadrature, which is exact for polynomials of degree 15
TOLERANCE = 1e-10  # between two ways to the same number


def by_hand() -> dict[str, pd.DataFrame]:
    """The tables, by the names of their files."""
    return {
        "cases": case_table(),
        "mails": mail_table(),
        "shares": share_table(),
        "gaussians": gaussian_table(),
        "estimators": estimator_table(),
    }


def case_table() -> pd.DataFrame:
    """What is taken for granted of each case: its prior and the shares of its words."""
    shares = dict(zip(WORDS, WORD_SHARES.T, strict=True))
    return pd.DataFrame({"case": CASES, "prior": PRIOR, **shares})


def mail_table() -> pd.DataFrame:
    """Every mail of three words: p(x, spam), p(x, no spam), p(x) and p(spam | x)."""
    mails = np.array([*itertools.product((1, 0), repeat=len(WORDS))])
    both = joint(mails)
    table = pd.DataFrame(mails, columns=[*WORDS])
    table["joint_spam"], table["joint_no_spam"] = both.T
    table["evidence"] = both.sum(1)
    table["posterior_spam"] = both[:, 0] / table["evidence"]
    return table


def share_table() -> pd.DataFrame:
    """The likelihood of the mails that were counted, for each share of spam, and its log."""
    likelihood = SHARES**SPAM * (1 - SHARES) ** NO_SPAM
    table = {"share": SHARES, "spam": SPAM, "no_spam": NO_SPAM, "likelihood": likelihood}
    return pd.DataFrame({**table, "log_likelihood_nats": np.log(likelihood)})


def gaussian_kl(mean: float, sd: float, other_mean: float, other_sd: float) -> float:
    """KL(N(mean, sd^2) || N(other_mean, other_sd^2)) in nats, in closed form."""
    squares = sd**2 + (mean - other_mean) ** 2
    return math.log(other_sd / sd) + squares / (2 * other_sd**2) - 0.5


def log_normal(z: Array, mean: float, sd: float) -> Array:
    """log N(z; mean, sd^2)."""
    return -0.5 * ((z - mean) / sd) ** 2 - math.log(sd) - 0.5 * math.log(2 * math.pi)


def gaussian_table() -> pd.DataFrame:
    """The KL of two Gaussians in both directions, in closed form and as an integral."""
    rows = []
    for q, p in ((NARROW, STANDARD), (STANDARD, NARROW)):
        exact, log_q = gaussian_kl(*q, *p), log_normal(NODES, *q)
        values = np.exp(log_q) * (log_q - log_normal(NODES, *p))
        integral = float(values.sum() * (NODES[1] - NODES[0]))
        _require_equal(exact, integral, "the KL of two Gaussians")
        rows.append([*q, *p, exact, integral])
    columns = ["q_mean", "q_sd", "p_mean", "p_sd", "kl_nats", "integral_nats"]
    return pd.DataFrame(rows, columns=columns)


def estimator_table() -> pd.DataFrame:
    """Estimators of two gradients from one draw: the exact gradient, their mean and sd.

    mail: of the ELBO by the log-odds of q(spam), at 0.5. square: of E_q[z^2] by the mean of NARROW.
    """
    return pd.DataFrame(
        [
            _row(example, estimator, exact, estimates, weights)
            for example, exact, weights, estimators in (_of_the_mail(), _of_the_square())
            for estimator, estimates in estimators.items()
        ]
    )


# Its name, the exact gradient, probabilities of the draws, and what each estimator makes of each.
Example = tuple[str, float, Array, dict[str, Array]]


def _of_the_mail() -> Example:
    q = np.array([0.5, 0.5])
    log_weights = np.log(joint() / q)
    scores = np.array([q[1], -q[0]])  # d log q(z) / d log-odds
    exact = float(q[0] * q[1] * (log_weights[0] - log_weights[1]))
    estimators = {
        "score_function": log_weights * scores,
        "baseline": (log_weights - q @ log_weights) * scores,
    }
    return "mail", exact, q, estimators


def _of_the_square() -> Example:
    noise, weights = np.polynomial.hermite_e.hermegauss(ROOTS)
    mean, sd = NARROW
    z = mean + sd * noise
    estimators = {"score_function": z**2 * noise / sd, "pathwise": 2 * z}
    return "square", 2 * mean, weights / weights.sum(), estimators


def _row(
    example: str, estimator: str, exact: float, estimates: Array, weights: Array
) -> dict[str, Any]:
    mean = float(weights @ estimates)
    _require_equal(exact, mean, f"the gradient of {example} by {estimator}")
    sd = float(weights @ (estimates - mean) ** 2) ** 0.5
    return {"example": example, "estimator": estimator, "gradient": exact, "mean": mean, "sd": sd}


def _require_equal(one: float, other: float, what: str) -> None:
    if not abs(one - other) < TOLERANCE:
        raise Disagreement(f"{what}: {one} and {other} in two ways")
