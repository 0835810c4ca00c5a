"""The report's table of how much better training images do than test images."""

from typing import Any

import pandas as pd

from elboflow.pages.cells import ABSENT, cell
from elboflow.pages.comparisons import interval_of
from elboflow.reading.notation import number

QUANTILE = 1.96  # of a normal distribution, for 95 % intervals
SPLIT_PREFIXES = ("train_", "validation_", "")  # test images have no prefix
# What overfits: its difference, and that of which quantity of the splits it is.
DIFFERENCES = {
    "decoder": ("train_minus_test_log_likelihood", "log_likelihood"),
    "encoder": ("test_minus_train_gap", "gap"),
}


def overfitting_rows(summary: pd.DataFrame) -> list[dict[str, Any]]:
    """For each run log p(x) and gap of all three splits, each with its difference."""
    found = []
    for run, rows in summary.groupby("run", sort=True):
        own = rows.set_index("quantity")
        if DIFFERENCES["decoder"][0] in own.index:
            cells = [part for pair in DIFFERENCES.values() for part in _cells(own, *pair)]
            found.append({"run": run, "cells": cells})
    return found


def _cells(rows: pd.DataFrame, difference: str, quantity: str) -> list[dict[str, Any] | None]:
    names = [f"{split}{quantity}" for split in SPLIT_PREFIXES]
    if difference not in rows.index:
        return [ABSENT] * (len(names) + 1)
    means = [cell(rows.loc[[name]].iloc[0], 2) if name in rows.index else None for name in names]
    return [*means, _difference(rows.loc[[difference]].iloc[0])]


def _difference(row: pd.Series) -> dict[str, Any]:
    """A difference, under it its 95 % interval over images.

    The data errors are sds over images of estimates, so that Monte Carlo errors are in them.
    """
    half = QUANTILE * row["data_error"]
    words = interval_of(row["mean"] - half, row["mean"] + half, half)
    return {"mean": number(row["mean"], 2), "errors": [(words, "")]}
