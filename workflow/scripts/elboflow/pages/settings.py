"""The report's tables of what runs were told, of models that are not its own, and of checks."""

from collections.abc import Sequence
from pathlib import Path
from typing import Any

import pandas as pd

from elboflow.pages.cells import DASH
from elboflow.pages.comparisons import NOT_TRAINED
from elboflow.reading.settings import by_run, own_model
from elboflow.vae.choices import DATA, observed_by


def split_settings(
    settings: pd.DataFrame, runs: Sequence[str]
) -> tuple[dict[str, Any], list[tuple[str, str]]]:
    """The settings that differ between runs as a table, in this order, and those that all share.

    A dash stands where a key does not apply to a run.
    """
    table = settings.pivot(index="run", columns="key", values="value").loc[[*runs]]
    table = table.fillna(DASH)
    keys = [key for key in table.columns if table[key].nunique() > 1]
    rows = [(run, list(table.loc[run, keys])) for run in table.index]
    shared = [(key, table[key].iloc[0]) for key in table.columns if key not in keys]
    return {"columns": keys, "rows": rows}, shared


def own_models(summary: pd.DataFrame, settings: pd.DataFrame) -> dict[str, Any]:
    """Runs of users' own models or weights, and the names of those that have no latents."""
    having = set(summary.loc[summary["quantity"] == "rate", "run"])
    rows = [
        {
            "run": run,
            "model": own_model(own["model"]) if "model" in own else "built-in",
            "observes": DATA[observed_by(own)].words,
            "weights": f"{NOT_TRAINED}: {Path(own['weights']).name}"
            if "weights" in own
            else "trained here",
            "noise": own.get("noise", DASH if "model" in own else "injected"),
        }
        for run, own in by_run(settings).items()
        if "model" in own or "weights" in own
    ]
    return {"rows": rows, "exact": sorted(set(summary["run"]) - having)}


# What a check that was not passed has found: its name says the opposite.
FOUND = {
    "better_than_mean_image": "not clearly better than the mean training image",
    "enough_importance_samples": "a lower bound only, by too few importance samples",
    "not_collapsed": "collapsed, or nearly so",
    "scale_above_floor": "the learned scale rests on its floor",
}


def warnings_of(checks: pd.DataFrame) -> list[Any]:
    """What checks have found that a reader should know before any number."""
    failed = checks[checks["status"] != "ok"]
    detail = failed["detail"].str.replace(r"(?<!\w)-(?=\d)", "\N{MINUS SIGN}", regex=True)
    return failed.assign(found=failed["check"].map(FOUND), detail=detail).to_dict("records")


def count_checks(checks: pd.DataFrame) -> list[dict[str, Any]]:
    """How many trainings pass each check."""
    passed = (checks["status"] == "ok").groupby(checks["check"], sort=True)
    return [
        {"check": name, "passed": int(values.sum()), "total": len(values)}
        for name, values in passed
    ]
