"""Two cases, spam or not: the ELBO of every q against log p(x), all of it exact.

p(z) is that of two cases and p(x|z) that of three independent words; the mail x has the
first and the third word. Then log p(x) - ELBO = KL(q || p(z|x)) is checked for each q.
"""

import numpy as np
import pandas as pd
from scipy.special import xlogy

from elboflow.chapter.tables import Disagreement
from elboflow.vae.measure.quadrature import Array

CASES = ("spam", "no spam")
PRIOR = np.array([0.4, 0.6])
WORDS = ("free", "lottery", "meeting")
WORD_SHARES = np.array([[0.8, 0.1, 0.3], [0.2, 0.05, 0.6]])  # p(word is in the mail | case)
MAIL = np.array([1, 0, 1])
Q_STEPS = 200  # between q(spam) = 0 and 1
TOLERANCE = 1e-12  # nats


def joint(mail: Array = MAIL) -> Array:
    """p(x, z) of mails (..., 3) and each case, shape (..., 2)."""
    return PRIOR * np.where(mail[..., None, :] == 1, WORD_SHARES, 1 - WORD_SHARES).prod(-1)


def log_evidence() -> float:
    """log p(x) in nats."""
    return float(np.log(joint().sum()))


def posterior() -> Array:
    """p(z | x) by Bayes' rule, shape (2,)."""
    return joint() / joint().sum()


def every_q() -> Array:
    """q(spam) from a bad q over that which knows nothing to the exact one, among evenly spaced."""
    return np.unique(np.append(np.arange(Q_STEPS + 1) / Q_STEPS, posterior()[0]))


def jensen_table(spam: Array) -> pd.DataFrame:
    """ELBO, its two parts and KL(q || p(z|x)) in nats for each q(spam) from 0 to 1."""
    q = np.stack([spam, 1 - spam], -1)
    entropy = -xlogy(q, q).sum(-1)
    distortion = -q @ np.log(joint() / PRIOR)
    rate = -entropy - q @ np.log(PRIOR)
    divergence = -entropy - q @ np.log(posterior())
    elbo = q @ np.log(joint()) + entropy
    gap = log_evidence() - elbo
    if not np.abs(gap - divergence).max() < TOLERANCE:
        raise Disagreement("log p(x) - ELBO is not KL(q || p(z|x)) in the two-case example")
    return pd.DataFrame(
        {
            "q_spam": spam,
            "elbo_nats": elbo,
            "rate_nats": rate,
            "distortion_nats": distortion,
            "log_p_nats": log_evidence(),
            "gap_nats": gap,
            "kl_nats": divergence,
        }
    )
