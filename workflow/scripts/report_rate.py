"""The report's table of where the rate goes."""

from typing import Any

import numpy as np
import pandas as pd
from report_tables import cell
from result_files import number

QUANTITIES = ["rate", "mutual_information", "marginal_kl"]
AT_BOUND = 0.1  # nats below log N, within which the mutual information is at its bound


def rate_parts(results: pd.DataFrame, summary: pd.DataFrame) -> dict[str, Any]:
    """The rate of each run whose posterior allows it as mutual information plus marginal KL.

    The mutual information is of image and z, where the image is one of N: at most log N.
    Hoffman and Johnson, ELBO surgery, NIPS 2016 workshop on advances in approximate Bayesian
    inference.

    Returns:
        Rows of cells, and the names of the runs whose mutual information is at its bound.
    """
    informed = results[results["quantity"] == "mutual_information"]
    bounds = np.log(informed.groupby("run", sort=True)["images"].first())
    means = summary.set_index(["run", "quantity"]).sort_index()
    rows, at_bound = [], []
    for run, bound in bounds.items():
        rate, information, marginal = (cell(means.loc[(run, name)], 3) for name in QUANTITIES)
        cells = [rate, information, {"mean": number(bound, 3), "errors": []}, marginal]
        rows.append({"run": run, "cells": cells})
        if means.loc[(run, "mutual_information"), "mean"] > bound - AT_BOUND:
            at_bound.append(run)
    return {"rows": rows, "at_bound": at_bound}
