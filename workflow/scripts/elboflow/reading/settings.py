"""What runs were told, from the table of settings."""

from pathlib import Path

import pandas as pd

from elboflow.vae.choices import observed_by

OWN = "own model "  # begins the name of one


def setting(settings: pd.DataFrame, key: str) -> dict[str, str]:
    """Value of one key for each run that it applies to, from the table of settings, runs sorted."""
    rows = settings[settings["key"] == key].sort_values("run")
    return dict(zip(rows["run"], rows["value"], strict=True))


def by_run(settings: pd.DataFrame) -> dict[str, dict[str, str]]:
    """All keys that apply to each run, runs sorted."""
    return {
        str(run): dict(zip(rows["key"], rows["value"], strict=True))
        for run, rows in settings.groupby("run", sort=True)
    }


def kinds(settings: pd.DataFrame) -> dict[str, tuple[str, str]]:
    """Data set of each run and what its model observes of it: only equal ones compare."""
    return {run: (own["dataset"], observed_by(own)) for run, own in by_run(settings).items()}


def likelihoods(settings: pd.DataFrame) -> dict[str, str]:
    """The likelihood of each run, or that it is a model of the user's own."""
    return {
        run: own_model(own["model"]) if "model" in own else own["likelihood"]
        for run, own in by_run(settings).items()
    }


def own_model(model: str) -> str:
    """What pages call a user's own model, wherever its file lies."""
    return f"{OWN}{Path(model).name}"
