"""Gather the results of all runs into tidy tables: sorted rows, six decimals, no clock, no host."""

import json
from collections.abc import Collection, Mapping, Sequence
from pathlib import Path
from typing import Any

import numpy as np
import pandas as pd

from elboflow.reading.columns import (
    CHECKS,
    CURVE,
    METRICS,
    RESULTS,
    SETTINGS,
    UNITS,
    Columns,
)
from elboflow.reading.csv_tables import read_table
from elboflow.reading.errors import InputError
from elboflow.reading.json_files import MODEL, read_json, read_run_json
from elboflow.reading.paths import run_and_seed
from elboflow.vae.spec import OF_BUILT_IN, OF_OWN, OF_TRAINING, PARTS

# Of every run; some models, data and precisions have more.
OF_EVERY_RUN = ("log_likelihood", "mean_image")
OF_LATENTS = (  # all of them, unless a model has no latents
    *("elbo", "rate", "distortion", "gap", "ess", "active_units"),
    *("log_likelihood_bias", "log_likelihood_lower", "log_likelihood_upper"),
)
Training = tuple[str, int]  # run and seed


def stack(
    paths: Sequence[str | Path],
    columns: Columns,
    order: str,
    may_be_empty: Collection[Training] = (),
) -> pd.DataFrame:
    """Stack the tables of all runs and seeds, sorted by run, seed and `order`.

    Args:
        may_be_empty: the trainings whose tables may have no rows.
    """
    frames = []
    for path in paths:
        run, seed = run_and_seed(path)
        frame = read_table(path, columns, (run, seed) in may_be_empty)
        for name in sorted({"run", "seed"} & set(frame)):
            raise InputError(f"{path}: unknown column {name!r}; delete the file and run again")
        frame.insert(0, "run", run)
        frame.insert(1, "seed", seed)
        frames.append(frame)
    stacked = pd.concat(frames, ignore_index=True)
    return stacked.sort_values(["run", "seed", order], ignore_index=True)


def gather_results(paths: Sequence[str | Path]) -> pd.DataFrame:
    """All summaries, one row per run x seed x quantity; refuses one that lacks a quantity."""
    for path in paths:
        found = set(read_table(path, RESULTS)["quantity"])
        wanted = (OF_LATENTS if "rate" in found else ()) + OF_EVERY_RUN
        missing = [name for name in wanted if name not in found]
        if missing:
            raise InputError(f"{path}: no quantity {missing[0]!r}; delete the file and run again")
    return stack(paths, RESULTS, "quantity")


def without_latents(results: pd.DataFrame) -> set[Training]:
    """The trainings of models that have no latents, and so no rate."""
    with_rate = results[results["quantity"] == "rate"]
    every, having = (set(zip(t["run"], t["seed"], strict=True)) for t in (results, with_rate))
    return every - having


def means_over_seeds(results: pd.DataFrame, of: Sequence[str] = ("run",)) -> pd.DataFrame:
    """Means over seeds, one row per run x quantity, with the three errors kept apart.

    `of` has the columns that tell rows apart beside the quantity.

    data_error: root mean square of the seeds' data errors. The seeds share their test images, so
        it does not shrink with more of them.
    monte_carlo_error: of the mean of independent estimates, sqrt(sum of squares) / seeds.
    seed_sd: sample standard deviation of the seeds' values, empty for one seed.
    """
    return (
        results.groupby([*of, "quantity", "unit"], sort=True)
        .agg(
            mean=("value", "mean"),
            data_error=("data_error", lambda errors: np.sqrt((errors**2).mean(skipna=False))),
            monte_carlo_error=(
                "monte_carlo_error",
                lambda errors: np.sqrt((errors**2).sum(skipna=False)) / len(errors),
            ),
            seed_sd=("value", "std"),
            seeds=("seed", "size"),
        )
        .reset_index()
    )


def gather_settings(
    paths: Sequence[str | Path], descriptions: Sequence[str | Path] = ()
) -> pd.DataFrame:
    """One row per run and key that applies to it; values as JSON, text without quotes.

    Of users' own models also `noise`, which is known when they are built.

    Args:
        descriptions: each model.json.
    """
    noises = {run_and_seed(path)[0]: read_json(path, MODEL)["noise"] for path in descriptions}
    rows = []
    for path in paths:
        run, document = Path(path).parent.name, read_run_json(path)
        without = inapplicable(document["training"])
        for part in PARTS:
            for key, value in document[part].items():
                if key in without:
                    continue
                shown = value if isinstance(value, str) else json.dumps(value)
                rows.append((run, part, key, shown))
        if document["training"].get("model") and run in noises:
            rows.append((run, "training", "noise", noises[run]))
    frame = pd.DataFrame(rows, columns=list(SETTINGS.names))
    return frame.sort_values(["run", "part", "key"], ignore_index=True)


def inapplicable(training: Mapping[str, Any]) -> set[str]:
    """The keys of training that say nothing of a run."""
    given = training.get("weights")
    keys = {*(OF_BUILT_IN if training.get("model") else OF_OWN), *(OF_TRAINING if given else ())}
    return keys | {key for key in ("weights", "files") if not training.get(key)}


def all_tables(
    runs: Sequence[str | Path],
    summaries: Sequence[str | Path],
    metrics: Sequence[str | Path],
    units: Sequence[str | Path],
    checks: Sequence[str | Path],
    curves: Sequence[str | Path],
    descriptions: Sequence[str | Path] = (),
) -> dict[str, pd.DataFrame]:
    """The tables of results by name, from the files of that kind of all runs and seeds."""
    results = gather_results(summaries)
    exact = without_latents(results)
    return {
        "runs": results,
        "summary": means_over_seeds(results),
        "training": stack(metrics, METRICS, "epoch"),
        "units": stack(units, UNITS, "unit", may_be_empty=exact),
        "checks": stack(checks, CHECKS, "check"),
        "bound_against_k": stack(curves, CURVE, "samples", may_be_empty=exact),
        "settings": gather_settings(runs, descriptions),
    }
