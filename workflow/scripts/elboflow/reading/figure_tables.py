"""What figures take from the tables of results."""

import numpy as np
import pandas as pd

ONE_VALUE = 1e-3  # within which a quantity of several runs is the same


def wide(table: pd.DataFrame, rows: list[str], column: str) -> pd.DataFrame:
    """One row for each of `rows`, one column per quantity, nan where a run lacks it."""
    return table.pivot(index=rows, columns="quantity", values=column).sort_index()


def one_value(means: pd.DataFrame, quantity: str) -> float | None:
    """What all runs that have a quantity have as its value, or None."""
    found = means[quantity].dropna() if quantity in means else pd.Series(dtype=float)
    return float(found.mean()) if len(found) and np.ptp(found) < ONE_VALUE else None
