"""The numbers of the chapter "What the ELBO is", as plain values that a template can print."""

import math
from collections.abc import Sequence
from pathlib import Path
from typing import Any

import numpy as np
import pandas as pd

from elboflow.chapter.page_classifiers import classifier_rows, sure_rows
from elboflow.chapter.tables import (
    CLASSIFIERS,
    DISCRETE,
    EVIDENCE,
    GRADIENTS,
    JENSEN,
    POSTERIORS,
    RELIABILITY,
)
from elboflow.reading.csv_tables import read_table
from elboflow.reading.notation import number

COLUMNS_OF = {
    "classifiers": CLASSIFIERS,
    "reliability": RELIABILITY,
    "jensen": JENSEN,
    "evidence": EVIDENCE,
    "posteriors": POSTERIORS,
    "discrete": DISCRETE,
    "gradients": GRADIENTS,
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
    tables = {Path(path).stem: read_table(path, COLUMNS_OF[Path(path).stem]) for path in paths}
    return {
        "classifiers": classifier_rows(tables["classifiers"]),
        "sure": sure_rows(tables["reliability"]),
        "jensen": jensen_numbers(tables["jensen"]),
        "evidence": evidence_numbers(tables["evidence"]),
        "posteriors": posterior_groups(tables["posteriors"]),
        "amortisation": amortisation_rows(tables["posteriors"], tables["evidence"]),
        "discrete": discrete_numbers(tables["discrete"]),
        "gradients": gradient_numbers(tables["gradients"]),
    }


def jensen_numbers(table: pd.DataFrame) -> dict[str, str]:
    gaps = table.set_index("q_spam")["gap_nats"]
    exact = table.iloc[int(table["gap_nats"].abs().to_numpy().argmin())]
    return {
        "log_p": number(exact["log_p_nats"], 4),
        "posterior": number(exact["q_spam"], 4),
        "nothing": number(gaps.loc[0.5], 4),
        "bad": number(gaps.loc[0.9], 4),
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
