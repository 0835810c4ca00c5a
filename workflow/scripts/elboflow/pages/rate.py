"""The report's table of where the rate goes."""

from typing import Any

import pandas as pd

from elboflow.pages.cells import cell
from elboflow.reading.notation import number

RATE_QUANTITIES = (
    *("rate", "mutual_information", "mutual_information_upper"),
    *("marginal_kl_lower", "marginal_kl", "rate_simulated", "marginal_kl_simulated"),
)
DISTINCT = 2.0  # standard errors over images by which a marginal KL must be above 0 to be told


def rate_rows(summary: pd.DataFrame) -> dict[str, Any]:
    """Rate, and its two parts between their bounds, of each run whose posterior allows it.

    Hoffman and Johnson, ELBO surgery, NIPS 2016 workshop on advances in approximate Bayesian
    inference; the bounds are those of vae.measure.aggregate and vae.measure.held_out.

    Returns:
        Rows of cells, and the runs whose marginal KL is clearly above 0, each with its lower bound.
    """
    means = summary.set_index(["run", "quantity"]).sort_index()
    rows, missing = [], []
    for run in sorted(summary.loc[summary["quantity"] == "marginal_kl_lower", "run"]):
        cells = [cell(means.loc[(run, name)], 3) for name in RATE_QUANTITIES]
        rows.append({"run": run, "cells": cells})
        bound = means.loc[(run, "marginal_kl_lower")]
        if bound["mean"] > DISTINCT * bound["data_error"]:
            missing.append(f"{run} ({number(bound['mean'], 3)})")
    return {"rows": rows, "missing": missing}
