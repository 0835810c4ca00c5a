"""What is promised of each number of the report, and by which test it is held."""

from pathlib import Path
from typing import Any

from promised_numbers import NAMES, UNPROMISED
from result_files import Columns, read_table

PROMISES = Columns(
    text=("quantity", "promised", "tried", "test"), key=("quantity", "promised", "test")
)


def promised(path: str | Path) -> dict[str, Any]:
    """Groups of promises by number in the order of NAMES, others after them; and UNPROMISED."""
    table = read_table(path, PROMISES)
    places = {quantity: place for place, quantity in enumerate(NAMES)}
    quantities = sorted(
        set(table["quantity"]), key=lambda name: (places.get(name, len(NAMES)), name)
    )
    told = table.groupby("quantity")[["promised", "tried", "test"]]
    groups = [
        {"name": name_of(quantity), "rows": told.get_group(quantity).to_dict("records")}
        for quantity in quantities
    ]
    nothing = [{"name": name_of(quantity), "why": why} for quantity, why in UNPROMISED.items()]
    return {"groups": groups, "nothing": nothing}


def name_of(quantity: str) -> str:
    return NAMES.get(quantity, quantity.replace("_", " "))
