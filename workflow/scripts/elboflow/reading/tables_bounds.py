"""Means over images of the estimates of log p(x) that runs have side by side, and of gaps."""

from collections.abc import Sequence
from pathlib import Path
from typing import Any

import numpy as np
import pandas as pd

from elboflow.reading.columns import Columns
from elboflow.reading.csv_tables import read_table
from elboflow.reading.paths import run_and_seed
from elboflow.vae.measure.conventions import NATS

BOUNDS = Columns(
    text=("origin",),
    integers=("image",),
    floats=(
        *("importance_nats", "importance_error_nats", "importance_ess"),
        *("ais_nats", "ais_error_nats", "ais_ess", "ais_acceptance"),
    ),
    optional=(
        *("upper_nats", "upper_error_nats"),
        *("elbo_nats", "elbo_error_nats", "best_elbo_nats", "best_elbo_error_nats"),
        *("amortisation_nats", "amortisation_error_nats"),
    ),
    key=("origin", "image"),
)


def mean(
    name: str, unit: str, values: pd.Series, errors: Sequence[pd.Series] = ()
) -> dict[str, Any]:
    """Mean over images, with its data error sd / sqrt(N) and the Monte Carlo error of its terms."""
    count = len(values)
    monte_carlo = np.sqrt(sum(np.square(error).sum() for error in errors)) / count
    return {
        "quantity": name,
        "unit": unit,
        "value": values.mean(),
        "data_error": values.std() / count**0.5,
        "monte_carlo_error": monte_carlo if errors else np.nan,
        "images": count,
    }


def quantities(images: pd.DataFrame, origin: str) -> list[dict[str, Any]]:
    """What is to be said of the images of one origin: test or simulated."""
    importance, ais, upper = (images[f"{name}_nats"] for name in ("importance", "ais", "upper"))
    errors = {name: images[f"{name}_error_nats"] for name in ("importance", "ais", "upper")}
    found = [
        mean("importance", NATS, importance, [errors["importance"]]),
        mean("importance_ess", "samples", images["importance_ess"]),
        mean("ais", NATS, ais, [errors["ais"]]),
        mean("ais_ess", "chains", images["ais_ess"]),
        mean("ais_acceptance", "share of moves", images["ais_acceptance"]),
        mean("ais_minus_importance", NATS, ais - importance, [errors["ais"], errors["importance"]]),
    ]
    if origin == "simulated":
        found += [
            mean("upper", NATS, upper, [errors["upper"]]),
            mean("upper_minus_ais", NATS, upper - ais, [errors["upper"], errors["ais"]]),
            mean(
                *("upper_minus_importance", NATS, upper - importance),
                [errors["upper"], errors["importance"]],
            ),
        ]
    elif images["elbo_nats"].notna().all():
        found += gap_means(images)
    return [{**row, "quantity": f"{origin}_{row['quantity']}"} for row in found]


def gap_means(images: pd.DataFrame) -> list[dict[str, Any]]:
    """log p(x) - ELBO, and how much of it is approximation and how much amortisation.

    Both estimates of log p(x) are too low on average: the one of the larger mean is nearer.
    """
    nearer = max(("ais", "importance"), key=lambda name: images[f"{name}_nats"].mean())
    log_p, error = images[f"{nearer}_nats"], images[f"{nearer}_error_nats"]
    elbo, best = images["elbo_nats"], images["best_elbo_nats"]
    return [
        mean("gap", NATS, log_p - elbo, [error, images["elbo_error_nats"]]),
        mean("approximation_gap", NATS, log_p - best, [error, images["best_elbo_error_nats"]]),
        mean("amortisation_gap", NATS, best - elbo, [images["amortisation_error_nats"]]),
    ]


def bounds_of_runs(paths: Sequence[str | Path]) -> pd.DataFrame:
    """One row per run x seed x quantity, sorted."""
    rows = []
    for path in paths:
        run, seed = run_and_seed(path)
        table = read_table(path, BOUNDS)
        for origin, images in table.groupby("origin", sort=True):
            rows += [{"run": run, "seed": seed, **row} for row in quantities(images, str(origin))]
    return pd.DataFrame(rows).sort_values(["run", "seed", "quantity"], ignore_index=True)
