"""What runs were told, from the table of settings."""

import pandas as pd

from elboflow.vae.choices import LIKELIHOODS


def setting(settings: pd.DataFrame, key: str) -> dict[str, str]:
    """Value of one key for each run, from the table of settings, runs sorted."""
    rows = settings[settings["key"] == key].sort_values("run")
    return dict(zip(rows["run"], rows["value"], strict=True))


def kinds(settings: pd.DataFrame) -> dict[str, tuple[str, str]]:
    """Data set of each run and what its likelihood observes of it: only equal ones compare."""
    likelihoods = setting(settings, "likelihood")
    return {
        run: (dataset, LIKELIHOODS[likelihoods[run]].observes)
        for run, dataset in setting(settings, "dataset").items()
    }
