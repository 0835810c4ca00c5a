"""The cells of the report's tables: a value with the errors that it has, or that there is none."""

from typing import Any

import pandas as pd

from elboflow.reading.notation import digits_of, number, significant

DASH = "\N{EN DASH}"
ABSENT: dict[str, Any] = {"mean": DASH, "errors": []}  # of what a model without latents lacks
ERRORS = {"data_error": "data", "monte_carlo_error": "MC", "seed_sd": "{seeds} seeds"}


def cell(row: pd.Series, decimals: int) -> dict[str, Any]:
    """A value with the errors that it has."""
    errors = [
        (name.format(seeds=row["seeds"]), significant(row[key], digits_of(key)))
        for key, name in ERRORS.items()
        if row[key] >= 0
    ]
    return {"mean": number(row["mean"], decimals), "errors": errors}


def cell_of(own: pd.DataFrame, quantity: str, decimals: int) -> dict[str, Any] | None:
    """The cell of a quantity from a run's rows; nothing in the place of bits of densities."""
    if quantity in own.index:
        return cell(own.loc[[quantity]].iloc[0], decimals)
    return None if quantity == "bits_per_dim" else ABSENT
