"""The numbers of the chapter "What the ELBO is", as plain values that a template can print."""

import math
from collections.abc import Sequence
from pathlib import Path
from typing import Any

import numpy as np
import pandas as pd

from elboflow.chapter import tables
from elboflow.chapter.page_by_hand import draw_numbers, gaussian_rows, share_numbers
from elboflow.chapter.page_classifiers import classifier_rows, sure_rows
from elboflow.chapter.page_mail import mail_numbers
from elboflow.reading.csv_tables import read_table
from elboflow.reading.notation import number

COLUMNS_OF = {
    "cases": tables.CASES,
    "mails": tables.MAILS,
    "shares": tables.SHARES,
    "jensen": tables.JENSEN,
    "gaussians": tables.GAUSSIANS,
    "estimators": tables.ESTIMATORS,
    "classifiers": tables.CLASSIFIERS,
    "reliability": tables.RELIABILITY,
    "evidence": tables.EVIDENCE,
    "posteriors": tables.POSTERIORS,
    "components": tables.COMPONENTS,
    "discrete": tables.DISCRETE,
    "gradients": tables.GRADIENTS,
}
ESTIMATORS = {
    "exact": "sum over all states",
    "score_function": "score function (REINFORCE)",
    "leave_one_out": "the same, each draw the other's baseline",
    "gumbel_softmax": "Gumbel-softmax",
}
ENCODERS_FAMILY = "diagonal Gaussian"  # as chapter_mixture calls it


def chapter_context(paths: Sequence[str | Path]) -> dict[str, Any]:
    """What the chapter's template prints, from the tables that COLUMNS_OF names."""
    read = {Path(path).stem: read_table(path, COLUMNS_OF[Path(path).stem]) for path in paths}
    mail = mail_numbers(read["cases"], read["mails"], read["jensen"])
    return {
        "mail": mail,
        "shares": share_numbers(read["shares"]),
        "gaussians": gaussian_rows(read["gaussians"]),
        "draws": draw_numbers(read["estimators"], read["gaussians"], mail),
        "classifiers": classifier_rows(read["classifiers"]),
        "sure": sure_rows(read["reliability"]),
        "evidence": evidence_numbers(read["evidence"]),
        "posteriors": posterior_groups(read["posteriors"]),
        "best": best_numbers(read["posteriors"], read["components"]),
        "amortisation": amortisation_rows(read["posteriors"], read["evidence"]),
        "discrete": discrete_numbers(read["discrete"]),
        "gradients": gradient_numbers(read["gradients"]),
    }


def evidence_numbers(table: pd.DataFrame) -> dict[str, str]:
    """Means over the images with their data errors, and how far two grids differ at the most."""
    gap = table["log_p_nats"] - table["encoder_elbo_nats"]
    differ = (table["log_p_nats"] - table["coarse_log_p_nats"]).abs().max()
    root = np.sqrt(len(table))
    return {
        "images": str(len(table)),
        "log_p": number(table["log_p_nats"].mean(), 2),
        "log_p_error": number(table["log_p_nats"].std() / root, 2),
        "elbo": number(table["encoder_elbo_nats"].mean(), 2),
        "gap": number(gap.mean(), 3),
        "gap_error": number(gap.std() / root, 3),
        "largest": number(gap.max(), 2),
        "differ": rounded_up(differ),
    }


def rounded_up(value: float) -> str:
    """A bound with two significant digits, so that no value is above what is printed."""
    exponent = math.floor(math.log10(value)) - 1 if value > 0 else 0
    return f"{math.ceil(value / 10**exponent - 1e-9) * 10**exponent:.2g}"


def posterior_groups(table: pd.DataFrame) -> list[dict[str, Any]]:
    """The images in the figure's order, each with one row per family."""
    found = []
    for image, rows in table.groupby("image", sort=False):
        log_p = number(rows["log_p_nats"].iloc[0], 3)
        found.append({"image": image, "log_p": log_p, "rows": posterior_rows(rows)})
    return found


def posterior_rows(table: pd.DataFrame) -> list[dict[str, Any]]:
    keys = [("rate_nats", 3), ("distortion_nats", 3), ("elbo_nats", 3)]
    exact = [("gap_nats", 6), ("kl_nats", 6)]
    return [
        {
            "family": row["family"],
            "parameters": row["parameters"],
            "cells": [number(row[key], decimals) for key, decimals in keys + exact],
        }
        for _, row in table.iterrows()
    ]


def best_numbers(posteriors: pd.DataFrame, components: pd.DataFrame) -> dict[str, Any]:
    """The best q of the encoder's family for the first image, and its rate."""
    image = posteriors["image"].iloc[0]
    row, q = (
        table[(table["image"] == image) & (table["family"] == ENCODERS_FAMILY)].iloc[0]
        for table in (posteriors, components)
    )
    means = [number(q[f"mean_{axis}"], 4) for axis in (1, 2)]
    variances = [number(q[f"variance_{axis}"], 4) for axis in (1, 2)]
    return {
        "image": image,
        "means": means,
        "variances": variances,
        "pairs": [*zip(means, variances, strict=True)],
        "rate": number(row["rate_nats"], 3),
    }


def amortisation_rows(posteriors: pd.DataFrame, evidence: pd.DataFrame) -> list[dict[str, Any]]:
    """For each image the gap of the encoder's q, and what the best q of its family wins back."""
    bounds = evidence.set_index("image")["encoder_elbo_nats"]
    found = []
    for image, rows in posteriors.groupby("image", sort=False):
        best = rows[rows["family"] == ENCODERS_FAMILY].iloc[0]
        gap = best["log_p_nats"] - bounds.loc[image]
        amortisation = gap - best["gap_nats"]
        found.append(
            {
                "image": image,
                "log_p": number(best["log_p_nats"], 3),
                "best": number(best["elbo_nats"], 3),
                "encoder": number(bounds.loc[image], 3),
                "gap": number(gap, 3),
                "amortisation": number(amortisation, 3),
                "approximation": number(best["gap_nats"], 3),
                "percent": number(100 * amortisation / gap, 0),
            }
        )
    return found


def discrete_numbers(table: pd.DataFrame) -> dict[str, str]:
    return {
        "images": str(len(table)),
        "log_p": number(table["log_p_nats"].mean(), 2),
        "elbo": number(table["elbo_nats"].mean(), 2),
        "gap": number(table["gap_nats"].mean(), 3),
        "largest": number(table["gap_nats"].max(), 3),
    }


def gradient_numbers(table: pd.DataFrame) -> dict[str, Any]:
    """The size of the exact gradient, and one row per estimator."""
    rows = [
        {
            "estimator": ESTIMATORS[row["estimator"]],
            "temperature": "" if np.isnan(row["temperature"]) else number(row["temperature"], 1),
            "bias": number(row["bias_nats"], 2),
            "error": number(row["bias_error_nats"], 3) if row["bias_error_nats"] else "",
            "sd": number(row["sd_nats"], 2),
        }
        for _, row in table.iterrows()
    ]
    return {"norm": number(table["norm_nats"].iloc[0], 2), "rows": rows}
