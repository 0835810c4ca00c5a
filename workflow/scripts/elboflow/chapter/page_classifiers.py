"""The numbers of the chapter's classifiers, as plain values that a template can print."""

from typing import Any

import numpy as np
import pandas as pd

from elboflow.reading.notation import number


def classifier_rows(table: pd.DataFrame) -> list[dict[str, Any]]:
    """One row per data set and model, with precision and recall at both thresholds."""
    found = []
    for (data, model), rows in table.groupby(["data", "model"], sort=False):
        first = rows.iloc[0]
        log_p = first["log_p_nats"]
        cells = [
            {
                "share": number(row[key], 3),
                "interval": interval(row, key),
            }
            for _, row in rows.iterrows()
            for key in ("precision", "recall")
        ]
        found.append(
            {
                "data": data,
                "model": model,
                "cells": cells,
                "test": first["test"],
                "positives": first["positives"],
                "average_precision": number(first["average_precision"], 3),
                "average_precision_interval": interval(first, "average_precision", ""),
                "cross_entropy": number(first["cross_entropy_nats"], 3),
                "cross_entropy_interval": interval(first, "cross_entropy", "_nats", 3),
                "constant": first["constant"],
                "log_p": "none" if np.isnan(log_p) else number(log_p, 1),
                "log_p_error": "" if np.isnan(log_p) else number(first["log_p_error_nats"], 1),
            }
        )
    return found


def interval(row: pd.Series, key: str, unit: str = "", decimals: int = 2) -> str:
    low, high = row[f"{key}_low{unit}"], row[f"{key}_high{unit}"]
    return f"{number(low, decimals)} to {number(high, decimals)}"


def sure_rows(table: pd.DataFrame) -> list[dict[str, Any]]:
    """Of the cases that a model is surest of, how many are positive, and whether it is too sure."""
    found = []
    for _, row in table[table["to"] == 1].iterrows():
        too_sure = row["mean_p"] > row["share_high"]
        found.append(
            {
                **row[["data", "model", "cases", "positives"]],
                "at_least": f"{row['from']:g}",
                "mean_p": number(row["mean_p"], 4),
                "interval": interval(row, "share"),
                "verdict": "it is too sure" if too_sure else "that may be right",
            }
        )
    return found
