"""The tables behind a page, listed on it, the smaller ones as data URIs."""

import base64
import csv
from collections.abc import Sequence
from pathlib import Path
from typing import Any

LARGEST = 256 * 1024  # bytes of a table that a page still holds


def numbers_files(paths: Sequence[str | Path]) -> list[dict[str, Any]]:
    """Name, columns and number of rows of each CSV, and its content unless it is large."""
    return [_file(Path(path)) for path in sorted(paths, key=lambda path: Path(path).stem)]


def _file(path: Path) -> dict[str, Any]:
    content = path.read_bytes()
    columns, *rows = csv.reader(content.decode("utf-8").splitlines())
    data = base64.b64encode(content).decode("ascii")
    return {
        "name": path.stem,
        "columns": columns,
        "rows": len(rows),
        "data": f"data:text/csv;base64,{data}" if len(content) <= LARGEST else None,
    }
