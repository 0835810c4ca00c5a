"""The tables of the report, as plain values that a template can print."""

from collections.abc import Mapping, Sequence
from typing import Any

import numpy as np
import pandas as pd

from elboflow.images.duplicates import told
from elboflow.pages.cells import ABSENT, DASH, cell, cell_of
from elboflow.reading.columns import BASELINES
from elboflow.reading.notation import error_decimals, number
from elboflow.reading.settings import OWN
from elboflow.vae.choices import DATA

# Quantity, heading, decimals.
HEADLINE = [
    ("log_likelihood", "log p(x) at K", 2),
    ("log_likelihood_lower", "log p(x), with the bias at K", 2),
    ("elbo", "ELBO", 2),
    ("rate", "rate", 2),
    ("distortion", "distortion", 2),
    ("gap", "gap", 2),
    ("active_units", "active units", 1),
    ("bits_per_dim", "bits/dim", 4),
]
PER_SEED = [HEADLINE[0], *HEADLINE[2:7], ("ess", "ESS", 0)]
INTERVAL = 1  # its place in the headline, which shows the upper end as well
ACTIVE = [quantity for quantity, _, _ in HEADLINE].index("active_units")
# Of units, by other limits than the threshold.
OTHER_COUNTS = {
    "active_units_at_twice_threshold": "at twice the threshold",
    "active_units_at_half_threshold": "at half of it",
    "informative_units": "above 0.1 nat",
}


def log_likelihood_interval(own: pd.DataFrame) -> str:
    """Where the mean log p(x) of the test images is, bias of the bound included, from its rows.

    That of a model without latents, and so without a rate, is exact.
    """
    if "rate" not in own.index:
        return "exact"
    ends = [float(own["mean"][f"log_likelihood_{end}"]) for end in ("lower", "upper")]
    width = ends[1] - ends[0]
    decimals = min(error_decimals(width), 6) if width > 0 else 2
    return " to ".join(number(end, decimals) for end in ends)


def units_cell(rows: pd.DataFrame) -> dict[str, Any]:
    """The number of active units of a run, with what other limits make of it."""
    if "active_units" not in rows.index:
        return ABSENT
    shown = cell(rows.loc[["active_units"]].iloc[0], 1)
    counts = rows["mean"].to_dict()
    others = [
        (words, number(counts[name], 1)) for name, words in OTHER_COUNTS.items() if name in counts
    ]
    return {**shown, "counts": others}


def baseline_cells(row: pd.Series, pixels: int, discrete: bool) -> list[dict[str, Any] | None]:
    """A baseline in the columns log p(x) and, for probabilities, bits/dim."""
    bits = row.copy()
    bits["mean"], bits["data_error"] = -row["mean"], row["data_error"]
    bits[["mean", "data_error"]] /= pixels * np.log(2)
    return [cell(row, 2), *[None] * (len(HEADLINE) - 2), cell(bits, 4) if discrete else None]


def baseline_rows(
    rows: pd.DataFrame, likelihoods: Mapping[str, str], pixels: int, discrete: bool
) -> dict[str, list[dict[str, Any]]]:
    """Noise floor and mean image of runs on the same data; the latter under each likelihood."""
    found: dict[str, list[dict[str, Any]]] = {}
    for quantity, name in BASELINES.items():
        chosen = rows[rows["quantity"] == quantity].copy()
        # Equal for all runs of a likelihood; seeds do not enter into it.
        chosen["seed_sd"], chosen["likelihood"] = np.nan, chosen["run"].map(likelihoods)
        chosen = chosen.drop_duplicates(["mean", "likelihood"]).sort_values("likelihood")
        own = chosen["likelihood"].str.startswith(OWN)
        chosen = chosen[~own | ~chosen["mean"].isin(chosen["mean"][~own])]
        if quantity == "noise_floor":
            chosen = chosen[:1]
        found[quantity] = [
            {
                "name": name if len(chosen) == 1 else f"{name}, {row['likelihood']}",
                "baseline": True,
                "cells": baseline_cells(row, pixels, discrete),
            }
            for _, row in chosen.iterrows()
        ]
    return found


def run_rows(rows: pd.DataFrame) -> list[dict[str, Any]]:
    """One row per run, the best log p(x) first."""
    best = rows[rows["quantity"] == "log_likelihood"].sort_values(
        ["mean", "run"], ascending=[False, True]
    )
    found = []
    for run in best["run"]:
        own = rows[rows["run"] == run].set_index("quantity")
        cells = [cell_of(own, quantity, decimals) for quantity, _, decimals in HEADLINE]
        cells[INTERVAL] = {"mean": log_likelihood_interval(own), "errors": []}
        cells[ACTIVE] = units_cell(own)
        found.append({"name": run, "baseline": False, "cells": cells})
    return found


def headline(
    summary: pd.DataFrame,
    of_run: Mapping[str, tuple[str, str]],
    likelihoods: Mapping[str, str],
    manifests: Sequence[dict[str, Any]],
) -> list[dict[str, Any]]:
    """The main table: runs that may be compared, between what is possible and what is trivial.

    Args:
        of_run: data set of each run and what it observes.
    """
    groups = []
    by_name = {manifest["dataset"]: manifest for manifest in manifests}
    for dataset, observes in sorted(set(of_run.values())):
        manifest = by_name[dataset]
        mine = [run for run in of_run if of_run[run] == (dataset, observes)]
        rows = summary[summary["run"].isin(mine)]
        pixels = int(np.prod(manifest["image_shape"]))
        baselines = baseline_rows(rows, likelihoods, pixels, DATA[observes].discrete)
        groups.append(
            {
                "dataset": dataset,
                "images": manifest["files"]["test.npy"]["images"],
                "observes": DATA[observes].words,
                "rows": [*baselines["noise_floor"], *run_rows(rows), *baselines["mean_image"]],
            }
        )
    return groups


def repeated_images(manifest: Mapping[str, Any]) -> tuple[list[str], list[str]]:
    """Sentences about images that two splits of a data set share, and that one split repeats."""
    files = manifest["files"]
    sizes = {name: files[f"{name}.npy"]["images"] for name in ("train", "validation", "test")}
    return told(manifest["duplicates"], sizes)


def trainings(results: pd.DataFrame) -> list[dict[str, Any]]:
    """One row per run and seed, without errors."""
    found = []
    for (run, seed), rows in results.groupby(["run", "seed"], sort=True):
        values = rows.set_index("quantity")["value"]
        cells = [
            number(values[quantity], decimals) if quantity in values else DASH
            for quantity, _, decimals in PER_SEED
        ]
        found.append({"run": run, "seed": seed, "cells": cells})
    return found


def precision_rows(summary: pd.DataFrame, precisions: Mapping[str, str]) -> list[dict[str, Any]]:
    """For each run of reduced precision, by how much its results differ from those in float32."""
    effects = summary[summary["quantity"].str.endswith("_minus_float32")]
    found = []
    for run, rows in effects.groupby("run", sort=True):
        own = rows.set_index("quantity")
        cells = [cell_of(own, f"{name}_minus_float32", 4) for name in ("elbo", "log_likelihood")]
        found.append({"run": run, "precision": precisions[str(run)], "cells": cells})
    return found


def exact_values(summary: pd.DataFrame) -> list[dict[str, Any]]:
    """For each run whose log p(x) is exact, that and its estimates."""
    quantities = ("exact_log_likelihood", "log_likelihood", "elbo")
    found = []
    for run, rows in summary.groupby("run", sort=True):
        own = rows.set_index("quantity")
        if quantities[0] in own.index:
            cells = [cell_of(own, quantity, 4) for quantity in quantities]
            found.append({"run": run, "cells": cells})
    return found
