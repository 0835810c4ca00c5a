"""The numbers of the mail that the chapter begins with, as values that a template prints."""

import math
from typing import Any

import numpy as np
import pandas as pd

from elboflow.chapter.jensen import MAIL, WORDS
from elboflow.reading.notation import number
from elboflow.vae.measure.quadrature import Array

GUESSES = {"prior": 0.4, "even": 0.5, "bad": 0.9, "sure": 1.0}  # q(spam)
MANY = 400  # mails whose probability is no number in double precision
SMALLEST = 5e-324  # positive double


def exact(value: float) -> str:
    """All digits of a number that has few."""
    return f"{value:.12g}"


def mail_numbers(cases: pd.DataFrame, mails: pd.DataFrame, jensen: pd.DataFrame) -> dict[str, Any]:
    """The mail of the example under both cases, every other mail, and guesses of its case."""
    is_example = (mails[list(WORDS)] == MAIL).all(axis=1)
    row = mails[is_example].iloc[0]
    joint = row[["joint_spam", "joint_no_spam"]].to_numpy(float)
    log_p = math.log(row["evidence"])
    return {
        "words": WORDS,
        "cases": [
            case_numbers(case, value, row["evidence"])
            for (_, case), value in zip(cases.iterrows(), joint, strict=True)
        ],
        "every": [
            {
                "words": [bool(values[word]) for word in WORDS],
                "example": example,
                "posterior": number(values["posterior_spam"], 4),
                **{key: exact(values[key]) for key in ("joint_spam", "joint_no_spam", "evidence")},
            }
            for (_, values), example in zip(mails.iterrows(), is_example, strict=True)
        ],
        "evidence": exact(row["evidence"]),
        "log_p": number(log_p, 4),
        "many": {
            "mails": MANY,
            "log": number(MANY * log_p, 1),
            "smallest": number(math.log(SMALLEST), 1),
        },
        "e": number(math.e, 3),
        "q": guesses(jensen, joint),
    }


def case_numbers(case: pd.Series, joint: float, evidence: float) -> dict[str, Any]:
    """What one case makes of the mail; `joint` is p(x, case)."""
    likelihood, posterior = joint / case["prior"], joint / evidence
    shares = [exact(case[word]) for word in WORDS]
    return {
        "name": case["case"],
        "prior": exact(case["prior"]),
        "shares": shares,
        "factors": [
            share if there else f"(1 - {share})" for share, there in zip(shares, MAIL, strict=True)
        ],
        "likelihood": exact(likelihood),
        "log_likelihood": number(math.log(likelihood), 4),
        "joint": exact(joint),
        "log_joint": number(math.log(joint), 4),
        "posterior": number(posterior, 4),
        "log_posterior": number(math.log(posterior), 4),
    }


def guesses(jensen: pd.DataFrame, joint: Array) -> dict[str, dict[str, Any]]:
    """What each q of GUESSES makes of the mail, and the exact posterior, in nats."""
    spam = joint[0] / joint.sum()
    found = {}
    for name, q in {**GUESSES, "exact": spam}.items():
        row = jensen.iloc[int((jensen["q_spam"] - q).abs().to_numpy().argmin())]
        found[name] = guess_numbers(row, joint)
    return found


def guess_numbers(row: pd.Series, joint: Array) -> dict[str, Any]:
    q = np.array([row["q_spam"], 1 - row["q_spam"]])
    posterior = joint / joint.sum()
    decimals = 4 if abs(row["gap_nats"]) < 1e-12 else 1  # of the exact q; others are round
    with np.errstate(divide="ignore"):
        weights = joint / q
        reverse = posterior @ np.log(posterior / q)
    tangents = row["log_p_nats"] + (weights - joint.sum()) / joint.sum()
    return {
        "spam": number(q[0], decimals),
        "no_spam": number(q[1], decimals),
        "weights": [number(weight, 4) for weight in weights],
        "logs": [number(value, 4) for value in np.log(weights)],
        "tangents": [number(tangent, 4) for tangent in tangents],
        "elbo": number(row["elbo_nats"], 4),
        "gap": number(row["gap_nats"], 4),
        "kl": number(row["kl_nats"], 4),
        "reverse_kl": number(reverse, 4),
        "reconstruction": number(-row["distortion_nats"], 4),
        "rate": number(row["rate_nats"], 4),
    }
