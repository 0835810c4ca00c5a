"""The report's tables of how far off the estimates of log p(x) are."""

from typing import Any

import pandas as pd

from elboflow.pages.cells import cell

# Quantity, heading, decimals.
TEST = [
    ("importance", "importance sampling", 2),
    ("ais", "AIS", 2),
    ("ais_minus_importance", "AIS minus importance sampling", 3),
]
SIMULATED = [
    ("upper", "upper bound", 2),
    ("upper_minus_ais", "above AIS by", 3),
    ("upper_minus_importance", "above importance sampling by", 3),
]
ORIGIN_TABLES = {
    "test": ("Test images", TEST),
    "simulated": ("Images that the model made", SIMULATED),
}


def bounds_tables(summary: pd.DataFrame | None) -> list[dict[str, Any]]:
    """A table for test images and one for simulated ones, or none where no run asks for them."""
    if summary is None:
        return []
    return [
        {
            "origin": origin,
            "title": title,
            "columns": [heading for _, heading, _ in columns],
            "rows": [
                {"run": run, "cells": _cells(rows.set_index("quantity"), origin, columns)}
                for run, rows in summary.groupby("run", sort=True)
            ],
        }
        for origin, (title, columns) in ORIGIN_TABLES.items()
    ]


def _cells(
    rows: pd.DataFrame, origin: str, columns: list[tuple[str, str, int]]
) -> list[dict[str, Any]]:
    return [cell(rows.loc[[f"{origin}_{name}"]].iloc[0], decimals) for name, _, decimals in columns]
