"""The report's table of what other data sets score under a run's model."""

from collections.abc import Mapping
from typing import Any

import pandas as pd

from elboflow.pages.cells import cell_of
from elboflow.reading.notation import number

# Quantity, heading, decimals.
COLUMNS = [
    ("log_likelihood", "log p(x) at K", 2),
    ("rise_from_half", "rise from K/2 to K", 3),
    ("bits_per_dim", "bits/dim", 4),
    ("ess", "ESS", 0),
    ("above_own_median", "above the own median", 3),
]


def scores_table(summary: pd.DataFrame | None, datasets: Mapping[str, str]) -> dict[str, Any]:
    """For each run its own test images and below them the other data sets; no runs without scores.

    Args:
        summary: scores_summary.csv, if there is one.
        datasets: that each run is trained on.
    """
    if summary is None:
        return {"columns": [], "runs": []}
    runs = []
    for run, own in summary.groupby("run", sort=True):
        names = sorted(set(own["dataset"]), key=lambda name: (name != datasets[str(run)], name))
        rows = [_row(name, own[own["dataset"] == name], name == names[0]) for name in names]
        runs.append({"run": run, "rows": rows})
    return {"columns": [heading for _, heading, _ in COLUMNS], "runs": runs}


def _row(dataset: str, rows: pd.DataFrame, own: bool) -> dict[str, Any]:
    found = rows.set_index("quantity")
    cells = [
        None if own and name not in found.index else cell_of(found, name, decimals)
        for name, _, decimals in COLUMNS
    ]
    return {"dataset": dataset, "own": own, "cells": [*cells, None if own else _area(found)]}


def _area(found: pd.DataFrame) -> dict[str, Any]:
    """The area under the ROC curve, with its interval in the place of errors."""
    value, lower, upper = (float(found["mean"][f"auroc{end}"]) for end in ("", "_lower", "_upper"))
    return {
        "mean": number(value, 3),
        "errors": [("95 %:", f"{number(lower, 3)} to {number(upper, 3)}")],
    }
