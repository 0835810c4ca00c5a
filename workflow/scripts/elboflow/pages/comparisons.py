"""The report's tables of differences: between runs, and from published values."""

from collections.abc import Mapping
from typing import Any

import numpy as np
import pandas as pd

from elboflow.reading.notation import digits_of, error_decimals, number, significant
from elboflow.reading.paired import COMPARED
from elboflow.vae.choices import DATA


def interval_of(lower: float, upper: float, error: float) -> str:
    """A confidence interval with as many decimals as two digits of the error need, at most six."""
    decimals = min(error_decimals(error), 6) if error > 0 else 2
    return f"{number(lower, decimals)} to {number(upper, decimals)}"


def difference_cells(row: pd.Series) -> dict[str, Any]:
    """A difference with its errors and simultaneous intervals, the second None for single seeds."""
    names = {"data_error": "data", "monte_carlo_error": "MC", "seed_error": "seeds"}
    decimals = min(error_decimals(row["data_error"]), 6) if row["data_error"] > 0 else 2
    low, high = "simultaneous_lower", "simultaneous_upper"
    wide = None
    if row["seed_error"] >= 0:
        spread = np.hypot(row["data_error"], row["seed_error"])
        wide = interval_of(row[f"{low}_with_seeds"], row[f"{high}_with_seeds"], spread)
    return {
        "mean": number(row["difference"], decimals),
        "errors": [
            (name, significant(row[key], digits_of(key)))
            for key, name in names.items()
            if row[key] >= 0
        ],
        "interval": interval_of(row[low], row[high], row["data_error"]),
        "interval_with_seeds": wide,
    }


def _cells(pair: pd.DataFrame) -> list[dict[str, Any] | None]:
    """The differences of a pair of runs; None of what one of both lacks."""
    return [
        difference_cells(pair.loc[[name]].iloc[0]) if name in pair.index else None
        for name in COMPARED
    ]


def best_against_others(
    comparisons: pd.DataFrame, samples: Mapping[str, str]
) -> list[dict[str, Any]]:
    """For each data set and kind of data the best run minus each other, log p(x) and ELBO.

    Args:
        samples: K of each run, the importance samples of log p(x).
    """
    groups = []
    for (dataset, observes), rows in comparisons.groupby(["dataset", "observes"], sort=True):
        best = rows["run"].iloc[0]  # the pairs are in the order of log p(x)
        pairs = rows[rows["run"] == best].groupby("other", sort=False)
        others = [
            {"name": other, "cells": _cells(pair.set_index("quantity"))} for other, pair in pairs
        ]
        taken = {run: samples[run] for run in [best, *(other["name"] for other in others)]}
        groups.append(
            {
                "dataset": dataset,
                "observes": DATA[str(observes)].words,
                "best": best,
                "others": others,
                "samples": taken if len(set(taken.values())) > 1 else {},
            }
        )
    return groups


NOT_TRAINED = "weights given, not trained here"
# Parts of the error of a difference from a published value.
ERROR_PARTS = {
    "published_error": "published",
    "seed_error": "seeds",
    "monte_carlo_error": "MC",
    "binarisation_error": "binarisation",
    "sampling_error": "images",
}


def published_rows(reproduction: pd.DataFrame, published: Mapping[str, Any]) -> dict[str, Any]:
    """Published values beside ours, and what the recipes named by them are."""
    rows: list[dict[str, Any]] = []
    recipes: dict[str, Any] = {}
    for _, row in reproduction.iterrows():
        name = published["values"][str(row["published"])]["recipe"]
        recipe = recipes[name] = published["recipes"][name]
        errors = [
            (word, significant(row[key], digits_of(key)))
            for key, word in ERROR_PARTS.items()
            if row[key] > 0
        ]
        most = "at most " if recipe["early_stopping"] else ""
        rows.append(
            {
                "run": row["run"],
                "citation": row["citation"],
                "published": {"mean": number(row["published_value"], 2), "errors": []},
                "ours": {"mean": number(row["mean"], 2), "errors": []},
                "difference": {"mean": number(row["difference"], 2), "errors": errors},
                "interval": f"{number(row['lower'], 2)} to {number(row['upper'], 2)}",
                "seeds": row["seeds"],
                "passes": f"{row['passes']} of {most}{row['published_passes']}"
                if row["passes"]
                else NOT_TRAINED,
                "otherwise": row["otherwise"],
            }
        )
    return {"rows": rows, "recipes": [recipes[name] for name in sorted(recipes)]}
