"""Read what the stages wrote, and refuse in one line what cannot be used."""

import csv
import io
import sys
from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import dataclass, replace
from pathlib import Path

import numpy as np
import pandas as pd

from elboflow.files.whole import Damaged, in_words, verify
from elboflow.specification.likelihood_data import OBSERVES, WORDS


class InputError(ValueError):
    """A file that cannot be used; the message names it in one line."""


@dataclass(frozen=True)
class Columns:
    """The columns that a table must have; `optional` ones are numbers that may be left empty.

    No two rows have the same values in all of the columns `key`.
    """

    text: tuple[str, ...] = ()
    integers: tuple[str, ...] = ()
    floats: tuple[str, ...] = ()
    optional: tuple[str, ...] = ()
    key: tuple[str, ...] = ()

    @property
    def names(self) -> tuple[str, ...]:
        return self.text + self.integers + self.floats + self.optional

    @property
    def gathered(self) -> "Columns":
        """The same columns in a table of all runs and seeds."""
        return replace(
            self,
            text=("run", *self.text),
            integers=("seed", *self.integers),
            key=("run", "seed", *self.key),
        )


# Of the table and of the figure that show them.
BASELINES = {"noise_floor": "noise floor", "mean_image": "mean image"}
MOST = 2**53  # up to which floats, as which pandas may read them, hold all integers
ELBO_PARTS = ("elbo_nats", "rate_nats", "distortion_nats")
METRICS = Columns(
    integers=("epoch", "step"),
    floats=(
        *("learning_rate", "beta", "train_objective_nats"),
        *(f"train_{part}" for part in ELBO_PARTS),
        *("gradient_norm", *(f"validation_{part}" for part in ELBO_PARTS)),
    ),
    key=("epoch",),
)
RESULTS = Columns(
    text=("quantity", "unit"),
    floats=("value",),
    optional=("data_error", "monte_carlo_error"),
    integers=("images",),
    key=("quantity",),
)
UNITS = Columns(
    integers=("unit", "active"),
    floats=("posterior_mean_variance",),
    optional=("rate_nats",),  # empty where the KL is no sum over dimensions
    key=("unit",),
)
CHECKS = Columns(text=("check", "status", "detail"), key=("check",))
CURVE = Columns(
    floats=("samples", "bound_nats", "monte_carlo_error_nats"),
    optional=("rise_nats", "rise_error_nats"),  # empty for the fewest samples
    key=("samples",),
)
SETTINGS = Columns(text=("run", "part", "key", "value"), key=("run", "key"))
SUMMARY = Columns(
    text=("run", "quantity", "unit"),
    floats=("mean",),
    optional=("data_error", "monte_carlo_error", "seed_sd"),
    integers=("seeds",),
    key=("run", "quantity"),
)

PER_IMAGE = Columns(
    integers=("image",),
    floats=(
        *("elbo_nats", "elbo_monte_carlo_error_nats"),
        *("log_likelihood_nats", "log_likelihood_monte_carlo_error_nats"),
    ),
    key=("image",),
)
COMPARISONS = Columns(
    text=("dataset", "observes", "quantity", "run", "other"),
    floats=(
        *("difference", "data_error", "monte_carlo_error", "run_shortfall", "other_shortfall"),
        *("lower", "upper", "simultaneous_lower", "simultaneous_upper"),
    ),
    optional=(  # nothing where a run has one seed
        *("seed_error", "lower_with_seeds", "upper_with_seeds"),
        *("simultaneous_lower_with_seeds", "simultaneous_upper_with_seeds"),
    ),
    integers=("run_seeds", "other_seeds", "images"),
    key=("quantity", "run", "other"),
)
REPRODUCTION = Columns(
    text=("run", "published", "citation", "otherwise"),
    floats=(
        *("published_value", "mean", "difference", "lower", "upper"),
        *("monte_carlo_error", "sampling_error", "shortfall"),
    ),
    optional=("published_error", "seed_sd", "seed_error", "binarisation_error"),
    integers=("seeds", "passes", "published_passes"),
    key=("run",),
)


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
        if (found := header.count(name)) != 1:
            many = "more than one" if found else "no"
            raise InputError(f"{path}: {many} column {name!r}; delete the file and run again")
    # Everything is text first: a run may be called NA, null or 007.
    frame = pd.DataFrame(rows, columns=header, dtype="str")
    for name in columns.integers + columns.floats + columns.optional:
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
        wrong |= (values % 1 != 0) | (values.abs() > MOST)
    if wrong.any():
        row = int(np.argmax(wrong))
        what = f"an integer up to {MOST}" if kind is int else "a number"
        raise InputError(
            f"{path}: row {row + 2}, column {cells.name!r}: {cells[row]!r} is not {what}; "
            "delete the file and run again"
        )
    return values.astype(kind)


def run_and_seed(path: str | Path) -> tuple[str, int]:
    """Run and seed of a file in results/runs/{run}/seed{seed}/."""
    folder = Path(path).parent
    return folder.parent.name, int(folder.name.removeprefix("seed"))


def _inputs_of_script() -> list[str]:
    """What Snakemake gave to the script that runs."""
    given = getattr(sys.modules["__main__"], "snakemake", None)
    return given.input if given and isinstance(given.input, list) else []


@contextmanager
def in_one_line() -> Iterator[None]:
    """Run a script on inputs that are as they were written.

    What the user can mend ends it with one line instead of a traceback.
    """
    try:
        for path in _inputs_of_script():
            verify(path)
        yield
    except (InputError, Damaged) as error:
        raise SystemExit(f"error: {error}") from None
    except OSError as error:
        raise SystemExit(f"error: {in_words(error)}") from None


def number(value: float, decimals: int = 2) -> str:
    """A number for readers, with a typographic minus sign."""
    positive_zero = round(value, decimals) + 0.0
    return f"{positive_zero:.{decimals}f}".replace("-", "\N{MINUS SIGN}")


def setting(settings: pd.DataFrame, key: str) -> dict[str, str]:
    """Value of one key for each run, from the table of settings, runs sorted."""
    rows = settings[settings["key"] == key].sort_values("run")
    return dict(zip(rows["run"], rows["value"], strict=True))


def kinds(settings: pd.DataFrame) -> dict[str, tuple[str, str]]:
    """Data set of each run and what its likelihood observes of it: only equal ones compare."""
    likelihoods = setting(settings, "likelihood")
    return {
        run: (dataset, OBSERVES[likelihoods[run]])
        for run, dataset in setting(settings, "dataset").items()
    }


def panel_names(settings: pd.DataFrame) -> dict[str, str]:
    """For each run the name of the panel that it shares with those it may be compared with."""
    return {
        run: dataset if observes == "binary" else f"{dataset}, {WORDS[observes]}"
        for run, (dataset, observes) in kinds(settings).items()
    }
