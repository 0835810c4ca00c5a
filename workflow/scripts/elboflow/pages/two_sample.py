"""The report's table of what tells made images from real ones, and what that says in words."""

from typing import Any

import pandas as pd

from elboflow.pages.cells import cell
from elboflow.reading.notation import number, significant

KINDS = {
    "sample": "samples",
    "reconstruction": "reconstructions",
    "training": "training images",
}
HALVES = ("1nn_real", "1nn_made")
BOUND = "jsd_bound"
NEAREST = "sample_nearest_training"
# Standard deviations: one of both halves is off by more in 5 % of cases without a difference.
OFF = 2.24
ABOVE = 2.0  # of the bound and of the share nearest to training images, which count above alone
# What either half is, of real images and of made ones, against what equal kinds would have.
PATTERNS = {
    "++": "apart: either kind keeps to itself",
    "+-": "too spread or too noisy: the nearest of either kind are real ones",
    "-+": "too alike or too smooth: the nearest of either kind are made ones",
    "--": "side by side: the nearest are of the other kind, as of copies",
    "+=": "real images keep to themselves, made ones do not",
    "=+": "made images keep to themselves, real ones do not",
    "-=": "made images are too often the nearest of real ones",
    "=-": "real images are too often the nearest of made ones",
    "==": "neighbours tell nothing apart",
}


def two_sample_rows(summary: pd.DataFrame) -> list[dict[str, Any]]:
    """For each run that was held against test images a row for each kind of images that it makes.

    Returns:
        Runs, each with kinds: a name, cells of means over seeds, and a statement.
    """
    found = []
    for run, rows in summary.groupby("run", sort=True):
        own = {row["quantity"]: row for _, row in rows.iterrows()}
        if NEAREST in own:
            kinds = [
                _row(own, kind, name) for kind, name in KINDS.items() if f"{kind}_1nn_null" in own
            ]
            found.append({"run": run, "kinds": kinds})
    return found


def _row(own: dict[str, pd.Series], kind: str, name: str) -> dict[str, Any]:
    real, made = (own[f"{kind}_{half}"] for half in HALVES)
    null, bound = own[f"{kind}_1nn_null"], own[f"{kind}_{BOUND}"]
    cells = [cell(real, 3), cell(made, 3), _null(null), cell(bound, 4), None, None]
    said = [pattern(real["mean"], made["mean"], null["mean"], null["data_error"])]
    finds = bound["mean"] > ABOVE * bound["data_error"]
    said.append("the classifier finds a difference" if finds else "the classifier finds none")
    if kind == "sample":
        nearest, expected = own[NEAREST], own[f"{NEAREST}_null"]
        cells[-2:] = [cell(nearest, 3), _null(expected)]
        if nearest["mean"] - expected["mean"] > ABOVE * expected["data_error"]:
            said.append("memorised: they are nearer to training images than to test images")
    return {"name": name, "cells": cells, "statement": "; ".join(said)}


def pattern(real: float, made: float, mean: float, sd: float) -> str:
    """What both halves say together.

    Args:
        mean, sd: of either half, if both kinds were of one distribution.
    """
    offs = [half - mean for half in (real, made)]
    signs = ("+" if off > OFF * sd else "-" if -off > OFF * sd else "=" for off in offs)
    return PATTERNS["".join(signs)]


def _null(row: pd.Series) -> dict[str, Any]:
    return {"mean": number(row["mean"], 3), "errors": [("sd", significant(row["data_error"]))]}
