"""The panels of figures: runs of equal data share one."""

import pandas as pd

from elboflow.reading.settings import kinds
from elboflow.specification.likelihood_data import WORDS


def panel_names(settings: pd.DataFrame) -> dict[str, str]:
    """For each run the name of the panel that it shares with those it may be compared with."""
    return {
        run: dataset if observes == "binary" else f"{dataset}, {WORDS[observes]}"
        for run, (dataset, observes) in kinds(settings).items()
    }
