"""The numbers of examples besides the mail, which a reader can work out again as well."""

import math
from typing import Any

import pandas as pd

from elboflow.chapter.page_mail import exact
from elboflow.reading.notation import number


def share_numbers(table: pd.DataFrame) -> dict[str, Any]:
    """The likelihood of the mails that were counted, for some shares of spam."""
    best = table["likelihood"].max()
    spam, no_spam = (int(table[key].iloc[0]) for key in ("spam", "no_spam"))
    return {
        "spam": spam,
        "no_spam": no_spam,
        "mails": spam + no_spam,
        "rows": [
            {
                "share": exact(row["share"]),
                "likelihood": number(row["likelihood"], 7),
                "log": number(row["log_likelihood_nats"], 4),
                "best": row["likelihood"] == best,
            }
            for _, row in table.iterrows()
        ],
    }


def gaussian_rows(table: pd.DataFrame) -> list[dict[str, str]]:
    """Two Gaussians in both directions, with the parts of their KL."""
    return [
        {
            **{key: exact(row[key]) for key in ("q_mean", "q_sd", "p_mean", "p_sd")},
            "logarithm": number(math.log(row["p_sd"] / row["q_sd"]), 4),
            "squares": number(
                (row["q_sd"] ** 2 + (row["q_mean"] - row["p_mean"]) ** 2) / (2 * row["p_sd"] ** 2),
                4,
            ),
            "kl": number(row["kl_nats"], 4),
        }
        for _, row in table.iterrows()
    ]


def draw_numbers(
    estimators: pd.DataFrame, gaussians: pd.DataFrame, mail: dict[str, Any]
) -> dict[str, Any]:
    """Gradients from single draws: of the mail's ELBO at the even q, and of E[z^2]."""
    own = {(row["example"], row["estimator"]): row for _, row in estimators.iterrows()}
    slope, even = own["mail", "score_function"], mail["q"]["even"]
    return {
        "mail": {
            "q": even["spam"],
            "logs": even["logs"],
            "baseline": even["elbo"],
            "estimates": [number(slope["gradient"] + side * slope["sd"], 4) for side in (-1, 1)],
            "gradient": number(slope["gradient"], 4),
            "sd": number(slope["sd"], 4),
            "ratio": number(slope["sd"] / slope["gradient"], 0),
        },
        "square": {
            "mean": exact(gaussians["q_mean"].iloc[0]),
            "sd": exact(gaussians["q_sd"].iloc[0]),
            "gradient": exact(own["square", "pathwise"]["gradient"]),
            "pathwise": number(own["square", "pathwise"]["sd"], 2),
            "score": number(own["square", "score_function"]["sd"], 2),
        },
    }
