"""What a standard deviation over a few seeds is worth."""

from typing import Any

import numpy as np
import pandas as pd
from scipy.special import gammaincinv  # scipy.stats takes a second to import

from elboflow.reading.notation import significant
from elboflow.vae.measure.conventions import CONFIDENCE


def spread_limits(seeds: int) -> tuple[float, float]:
    """The 95 % interval of the true standard deviation, in units of that of so many seeds.

    sqrt((n - 1) / chi^2), of normal values; 0.45 to 32 for two, 0.60 to 2.9 for five.
    """
    tail = (1 - CONFIDENCE) / 2
    low, high = 2 * gammaincinv((seeds - 1) / 2, [1 - tail, tail])  # quantiles of chi^2
    return float(np.sqrt((seeds - 1) / low)), float(np.sqrt((seeds - 1) / high))


def spreads(summary: pd.DataFrame) -> list[dict[str, Any]]:
    """These limits for each number of seeds that some run has, but one."""
    found = []
    for seeds in sorted(set(summary["seeds"]) - {1}):
        low, high = spread_limits(int(seeds))
        found.append({"seeds": seeds, "low": significant(low), "high": significant(high)})
    return found
