"""What is promised of each number of the report, and by which test it is held."""

from pathlib import Path
from typing import Any

import pandas as pd

from elboflow.pages.promised_numbers import NAMES, UNPROMISED
from elboflow.reading.columns import Columns
from elboflow.reading.csv_tables import read_table

PROMISES = Columns(
    text=("quantity", "promised", "tried", "test"), key=("quantity", "promised", "test")
)


def promised(path: str | Path) -> dict[str, Any]:
    """Promises by number in the order of NAMES, others after them, each with its tests."""
    table = read_table(path, PROMISES)
    places = {quantity: place for place, quantity in enumerate(NAMES)}
    quantities = sorted(
        set(table["quantity"]), key=lambda name: (places.get(name, len(NAMES)), name)
    )
    nothing = [{"name": name_of(quantity), "why": why} for quantity, why in UNPROMISED.items()]
    groups = [
        {"name": name_of(quantity), "promises": _of(table[table["quantity"] == quantity])}
        for quantity in quantities
    ]
    return {"groups": groups, "nothing": nothing}


def _of(rows: pd.DataFrame) -> list[dict[str, Any]]:
    """The promises of one number, each with how it is tried."""
    return [
        {"promised": promise, "tests": tests[["tried", "test"]].to_dict("records")}
        for promise, tests in rows.groupby("promised", sort=True)
    ]


def name_of(quantity: str) -> str:
    return NAMES.get(quantity, quantity.replace("_", " "))
