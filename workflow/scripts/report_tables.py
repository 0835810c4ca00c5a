"""The tables of the report, as plain values that a template can print."""

import math
from collections.abc import Mapping, Sequence
from typing import Any

import numpy as np
import pandas as pd
from result_files import BASELINES, number

# Quantity, heading, decimals.
HEADLINE = [
    ("log_likelihood", "log p(x)", 2),
    ("elbo", "ELBO", 2),
    ("rate", "rate", 2),
    ("distortion", "distortion", 2),
    ("gap", "gap", 2),
    ("active_units", "active units", 1),
    ("bits_per_dim", "bits/dim", 4),
]
PER_SEED = [*HEADLINE[:6], ("ess", "ESS", 0)]
ERRORS = {"data_error": "data", "monte_carlo_error": "MC", "seed_sd": "seeds"}


def significant(error: float) -> str:
    """An error with two significant digits."""
    rounded = float(f"{error:.1e}")
    if rounded < 1e-6:
        return f"{rounded:g}"
    decimals = max(0, 1 - math.floor(math.log10(rounded)))
    return f"{rounded:.{decimals}f}"


def cell(row: pd.Series, decimals: int) -> dict[str, Any]:
    """A value with the errors that it has."""
    errors = [(name, significant(row[key])) for key, name in ERRORS.items() if row[key] >= 0]
    return {"mean": number(row["mean"], decimals), "errors": errors}


def baseline_rows(rows: pd.DataFrame, pixels: int) -> list[dict[str, Any]]:
    """Noise floor and mean image, in the columns log p(x) and bits/dim."""
    found = []
    for quantity, name in BASELINES.items():
        # All runs on a data set have the same baselines; seeds do not enter into them.
        row = rows[rows["quantity"] == quantity].iloc[0].copy()
        row["seed_sd"] = np.nan
        bits = row.copy()
        bits["mean"], bits["data_error"] = -row["mean"], row["data_error"]
        bits[["mean", "data_error"]] /= pixels * np.log(2)
        cells = [cell(row, 2), *[None] * (len(HEADLINE) - 2), cell(bits, 4)]
        found.append({"name": name, "baseline": True, "cells": cells})
    return found


def run_rows(rows: pd.DataFrame) -> list[dict[str, Any]]:
    """One row per run, the best log p(x) first."""
    best = rows[rows["quantity"] == "log_likelihood"].sort_values(
        ["mean", "run"], ascending=[False, True]
    )
    found = []
    for run in best["run"]:
        own = rows[rows["run"] == run].set_index("quantity")
        cells = [cell(own.loc[quantity], decimals) for quantity, _, decimals in HEADLINE]
        found.append({"name": run, "baseline": False, "cells": cells})
    return found


def headline(
    summary: pd.DataFrame, datasets: Mapping[str, str], manifests: Sequence[dict[str, Any]]
) -> list[dict[str, Any]]:
    """The main table: for each data set the runs between what is possible and what is trivial."""
    groups = []
    for manifest in manifests:
        rows = summary[summary["run"].map(datasets) == manifest["dataset"]]
        floor, mean = baseline_rows(rows, int(np.prod(manifest["image_shape"])))
        images = manifest["files"]["test.npy"]["images"]
        groups.append(
            {
                "dataset": manifest["dataset"],
                "images": images,
                "rows": [floor, *run_rows(rows), mean],
            }
        )
    return groups


def trainings(results: pd.DataFrame) -> list[dict[str, Any]]:
    """One row per run and seed, without errors."""
    found = []
    for (run, seed), rows in results.groupby(["run", "seed"], sort=True):
        values = rows.set_index("quantity")["value"]
        cells = [number(values[quantity], decimals) for quantity, _, decimals in PER_SEED]
        found.append({"run": run, "seed": seed, "cells": cells})
    return found


def precision_effects(summary: pd.DataFrame, precisions: Mapping[str, str]) -> list[dict[str, Any]]:
    """For each run of reduced precision, by how much its results differ from those in float32."""
    effects = summary[summary["quantity"].str.endswith("_minus_float32")]
    found = []
    for run, rows in effects.sort_values("quantity").groupby("run", sort=True):  # ELBO, log p(x)
        cells = [cell(row, 4) for _, row in rows.iterrows()]
        found.append({"run": run, "precision": precisions[str(run)], "cells": cells})
    return found


def split_settings(settings: pd.DataFrame) -> tuple[dict[str, Any], list[tuple[str, str]]]:
    """The settings that differ between runs as a table, and those that all share."""
    table = settings.pivot(index="run", columns="key", values="value").sort_index()
    keys = [key for key in table.columns if table[key].nunique() > 1]
    rows = [(run, list(table.loc[run, keys])) for run in table.index]
    shared = [(key, table[key].iloc[0]) for key in table.columns if key not in keys]
    return {"columns": keys, "rows": rows}, shared


def count_checks(checks: pd.DataFrame) -> list[dict[str, Any]]:
    """How many trainings pass each check."""
    passed = (checks["status"] == "ok").groupby(checks["check"], sort=True)
    return [
        {"check": name, "passed": int(values.sum()), "total": len(values)}
        for name, values in passed
    ]
