"""The report's table of how much of each gap the encoder leaves, and how much its family of q."""

from typing import Any

import pandas as pd

from elboflow.pages.cells import cell
from elboflow.reading.settings import setting
from elboflow.vae.choices import POSTERIORS

GAPS = ("gap", "approximation_gap", "amortisation_gap")


def gap_rows(bounds: pd.DataFrame | None, settings: pd.DataFrame) -> dict[str, Any]:
    """Rows of runs whose gap was split, and the names of those of which it was not.

    Args:
        bounds: means over seeds, None where no run has any.
    """
    rows = []
    if bounds is not None:
        for run, own in bounds.groupby("run", sort=True):
            named = own.set_index("quantity")
            if f"test_{GAPS[0]}" in named.index:
                cells = [cell(named.loc[[f"test_{name}"]].iloc[0], 3) for name in GAPS]
                rows.append({"run": run, "cells": cells})
    posteriors, second = (setting(settings, key) for key in ("posterior", "second_latent_dim"))
    left = (set() if bounds is None else set(bounds["run"])) - {row["run"] for row in rows}
    return {
        "rows": rows,
        "discrete": [run for run, name in posteriors.items() if POSTERIORS[name].discrete],
        "not_searched": [
            run
            for run, name in posteriors.items()
            if not (POSTERIORS[name].discrete or POSTERIORS[name].searched)
            or second.get(run, "null") != "null"
        ]
        + [run for run in setting(settings, "model") if run in left],
    }
