"""Paired differences between runs that were tested on the same images, with their errors.

Each has the interval of its pair alone and one that holds together with those of all other pairs of
its group and both quantities: it holds also for a best run that was chosen on these images. Those
of log p(x) are of log p(x) itself, not of its estimates, which are too low by an unknown bias.
"""

import itertools
from collections.abc import Mapping, Sequence
from pathlib import Path

import numpy as np
import pandas as pd

from elboflow.reading.columns import COMPARISONS, PER_IMAGE
from elboflow.reading.csv_tables import read_table
from elboflow.reading.errors import InputError
from elboflow.reading.paired import COMPARED, Estimates, compare, joint_intervals
from elboflow.reading.paths import run_and_seed
from elboflow.reading.settings import kinds


def of_seeds(frames: Sequence[pd.DataFrame], quantity: str, shortfall: float = 0.0) -> Estimates:
    """One quantity of all seeds of a run; without a column of Monte Carlo errors it has none."""
    columns = f"{quantity}_nats", f"{quantity}_monte_carlo_error_nats"
    zero = pd.Series(0.0, frames[0].index)
    values, errors = (
        np.stack([frame.get(name, zero).to_numpy() for frame in frames]) for name in columns
    )
    return Estimates(values, errors, shortfall)


def shortfalls(summary: pd.DataFrame) -> dict[str, float]:
    """By how much the estimate of each run's log p(x) may be too low, in nats per image."""
    means = summary.pivot(index="run", columns="quantity", values="mean")
    known = means["log_likelihood"]
    missing = means.get("log_likelihood_upper", known) - known
    return dict(missing.clip(lower=0).fillna(0))  # none of one that is exact


def comparisons(
    runs: Mapping[str, Sequence[pd.DataFrame]],
    of_run: Mapping[str, tuple[str, str]],
    missing: Mapping[str, float],
) -> pd.DataFrame:
    """All pairs of runs of one kind, in each pair the better log p(x) first.

    Args:
        runs: the values per image of each run's seeds.
        of_run: data set of each run and what it observes: only equal ones are compared.
        missing: shortfall of each run's log p(x). The ELBO has none.
    """
    rows = []
    measured = {
        run: {
            name: of_seeds(frames, name, missing[run] if name == "log_likelihood" else 0.0)
            for name in COMPARED
            if all(f"{name}_nats" in frame for frame in frames)
        }
        for run, frames in runs.items()
    }
    for kind in sorted(set(of_run.values())):
        ranked = sorted(
            (run for run in runs if of_run[run] == kind),
            key=lambda run: (-measured[run]["log_likelihood"].values.mean(), run),
        )
        if len(ranked) < 2:
            continue
        pairs = list(itertools.combinations(ranked, 2))
        together = joint_intervals({run: measured[run] for run in ranked}, pairs)
        for (one, other), name in itertools.product(pairs, COMPARED):
            if name not in measured[one] or name not in measured[other]:
                continue
            found = compare(measured[one][name], measured[other][name], together)
            names = {"dataset": kind[0], "observes": kind[1], "quantity": name}
            rows.append({**names, "run": one, "other": other, **found})
    return pd.DataFrame(rows, columns=list(COMPARISONS.names))


def read_per_image(
    paths: Sequence[str | Path], of_run: Mapping[str, tuple[str, str]]
) -> dict[str, list[pd.DataFrame]]:
    """The values per image of each run's seeds; those of one kind must be of the same images."""
    runs: dict[str, list[pd.DataFrame]] = {}
    first: dict[tuple[str, str], tuple[str | Path, pd.Series]] = {}
    for path in sorted(paths, key=run_and_seed):
        frame = read_table(path, PER_IMAGE)
        run, _ = run_and_seed(path)
        named, images = first.setdefault(of_run[run], (path, frame["image"]))
        if not images.equals(frame["image"]):
            raise InputError(f"{path}: other test images than {named}; delete both and run again")
        runs.setdefault(run, []).append(frame)
    return runs


def compare_runs(
    settings: pd.DataFrame, summary: pd.DataFrame, paths: Sequence[str | Path]
) -> pd.DataFrame:
    """All pairs of runs of one kind, from tables of results and the values per image."""
    of_run = kinds(settings)
    return comparisons(read_per_image(paths, of_run), of_run, shortfalls(summary))
