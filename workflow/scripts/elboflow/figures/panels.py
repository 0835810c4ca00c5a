"""The panels of figures: runs of equal data share one, or a row of them."""

import matplotlib.pyplot as plt
import numpy as np
import pandas as pd
from matplotlib.figure import Figure

from elboflow.figures import style
from elboflow.reading.settings import kinds
from elboflow.vae.choices import DATA

ABREAST = 3  # panels beside each other, where each run has one


def panel_names(settings: pd.DataFrame) -> dict[str, str]:
    """For each run the name of the panel that it shares with those it may be compared with."""
    return {
        run: dataset if observes == "binary" else f"{dataset}, {DATA[observes].words}"
        for run, (dataset, observes) in kinds(settings).items()
    }


def panel_rows(
    names: list[str], columns: int, width: float, height: float
) -> tuple[Figure, np.ndarray]:
    """A row of panels for each name, said at its left; sizes in inches, height of one row.

    Returns:
        The figure and its axes, shape (names, columns).
    """
    size = (width, height * len(names))
    figure, rows = plt.subplots(len(names), columns, figsize=size, squeeze=False)
    for name, row in zip(names, rows, strict=True):
        row[0].set_title(f"{style.label(name)}, test images", weight="bold")
    return figure, rows
