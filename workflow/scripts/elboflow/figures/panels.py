"""The panels of figures: runs of equal data share one."""

import pandas as pd

from elboflow.reading.settings import kinds
from elboflow.vae.choices import DATA


def panel_names(settings: pd.DataFrame) -> dict[str, str]:
    """For each run the name of the panel that it shares with those it may be compared with."""
    return {
        run: dataset if observes == "binary" else f"{dataset}, {DATA[observes].words}"
        for run, (dataset, observes) in kinds(settings).items()
    }
