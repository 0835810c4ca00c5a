"""Read tables that stages wrote, and refuse in one line what cannot be used; write others."""

import csv
import io
from pathlib import Path

import numpy as np
import pandas as pd

from elboflow.files.whole import write_result
from elboflow.reading.columns import Columns
from elboflow.reading.errors import InputError

LARGEST_INTEGER = 2**53  # up to which floats, as which pandas may read them, hold all integers


def read_table(path: str | Path, columns: Columns, may_be_empty: bool = False) -> pd.DataFrame:
    """Read a CSV, in the file's order of columns.

    Args:
        may_be_empty: whether a header without rows is a table as well.

    Raises:
        InputError: the file is empty or cut off, lacks a column or has it twice, has text among
            numbers, or says something twice.
    """
    header, *rows = _read_rows(Path(path), may_be_empty)
    for name in (*header, *columns.names):
        if (found := header.count(name)) != 1 and (found or name not in columns.lacking):
            many = "more than one" if found else "no"
            raise InputError(f"{path}: {many} column {name!r}; delete the file and run again")
    # Everything is text first: a run may be called NA, null or 007.
    frame = pd.DataFrame(rows, columns=header, dtype="str")
    for name in columns.integers + columns.floats + columns.optional:
        if name not in header:
            continue
        kind = int if name in columns.integers else float
        frame[name] = _numbers(path, frame[name], kind, name in columns.optional)
    if columns.key:
        _refuse_repetition(path, frame[list(columns.key)])
    return frame


def _refuse_repetition(path: str | Path, keys: pd.DataFrame) -> None:
    repeated = keys.duplicated()
    if repeated.any():
        row = int(np.argmax(repeated))
        what = ", ".join(f"{name} {value!r}" for name, value in keys.astype(str).iloc[row].items())
        raise InputError(
            f"{path}: row {row + 2} has {what} once more; delete the file and run again"
        )


def _read_rows(path: Path, may_be_empty: bool) -> list[list[str]]:
    try:
        text = path.read_text(encoding="utf-8")
        rows = list(csv.reader(io.StringIO(text, newline=""), strict=True))
    except (UnicodeDecodeError, csv.Error) as error:
        raise InputError(f"{path}: not a CSV ({error}); delete the file and run again") from None
    ragged = [number for number, row in enumerate(rows, 1) if len(row) != len(rows[0])]
    if not rows:
        raise InputError(f"{path}: empty; delete the file and run again")
    if ragged or not text.endswith("\n"):
        number = ragged[0] if ragged else len(rows)
        raise InputError(f"{path}: row {number} is cut off; delete the file and run again")
    if len(rows) == 1 and not may_be_empty:
        raise InputError(f"{path}: a header without rows; delete the file and run again")
    return rows


def _numbers(path: str | Path, cells: pd.Series, kind: type, may_be_empty: bool) -> pd.Series:
    values = pd.to_numeric(cells, errors="coerce")
    wrong = ~np.isfinite(values) & ~((cells == "") & may_be_empty)
    if kind is int:
        wrong |= (values % 1 != 0) | (values.abs() > LARGEST_INTEGER)
    if wrong.any():
        row = int(np.argmax(wrong))
        what = f"an integer up to {LARGEST_INTEGER}" if kind is int else "a number"
        raise InputError(
            f"{path}: row {row + 2}, column {cells.name!r}: {cells[row]!r} is not {what}; "
            "delete the file and run again"
        )
    return values.astype(kind)


def write_table(table: pd.DataFrame, path: str | Path, decimals: int = 6) -> None:
    """Write a CSV with fixed decimals, learning rates with eight significant digits."""
    table = table.copy()
    if "learning_rate" in table:
        rates = table["learning_rate"].map("{:.8g}".format, na_action="ignore")
        table["learning_rate"] = rates
    floats = table.select_dtypes("float").columns
    table[floats] = table[floats].round(decimals) + 0.0  # no negative zeros
    content = table.to_csv(index=False, float_format=f"%.{decimals}f", lineterminator="\n")
    write_result(path, content.encode())
