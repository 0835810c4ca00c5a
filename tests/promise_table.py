"""Which tests hold what is said of the report's numbers: promises.csv, from their markers.

    python tests/promise_table.py        # make promises

A test names what it holds, `@pytest.mark.promise("quantity", "what is promised", "how tried")`:
several quantities between commas, several markers one above the other. The markers are read from
the source, since half of the tests need torch and the other half Snakemake: no Python has both.
"""

import ast
import csv
import io
from collections.abc import Iterator
from pathlib import Path

ROOT = Path(__file__).parents[1]
TABLE = ROOT / "workflow" / "report" / "promises.csv"
RINGS = ("tests/unit/training", "tests/unit/controller", "tests/process", "tests/workflow")
HEADER = ("quantity", "promised", "tried", "test")


def promises(root: Path = ROOT) -> list[tuple[str, str, str, str]]:
    """A row for each quantity of each marker, sorted.

    Raises:
        SyntaxError: a marker without three plain texts.
    """
    paths = [path for ring in RINGS for path in sorted((root / ring).glob("test_*.py"))]
    return sorted(row for path in paths for row in _of_file(path, str(path.relative_to(root))))


def _of_file(path: Path, name: str) -> Iterator[tuple[str, str, str, str]]:
    for test in ast.parse(path.read_text(encoding="utf-8")).body:
        if isinstance(test, ast.FunctionDef) and test.name.startswith("test_"):
            for words in filter(None, map(_marker, test.decorator_list)):
                if len(words) != 3 or not all(isinstance(word, str) for word in words):
                    raise SyntaxError(f"{name}: {test.name}: a promise is three plain texts")
                quantities, promised, tried = words
                for quantity in quantities.split(", "):
                    yield quantity, promised, tried, f"{name}::{test.name}"


def _marker(decorator: ast.expr) -> list[str | None]:
    """The texts of @pytest.mark.promise(...), None for what is no text; empty for other markers."""
    if not isinstance(decorator, ast.Call) or ast.unparse(decorator.func) != "pytest.mark.promise":
        return []
    words = [*decorator.args, *(keyword.value for keyword in decorator.keywords)]
    return [getattr(word, "value", None) for word in words] or [None]


def as_csv(rows: list[tuple[str, str, str, str]]) -> str:
    buffer = io.StringIO()
    csv.writer(buffer, lineterminator="\n").writerows([HEADER, *rows])
    return buffer.getvalue()


if __name__ == "__main__":
    found = promises()
    TABLE.write_text(as_csv(found), encoding="utf-8")
    print(f"{TABLE.relative_to(ROOT)}: {len(found)} promises")
