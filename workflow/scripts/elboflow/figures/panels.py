"""The panels of figures: runs of equal data share one, or a row of them."""

from collections.abc import Iterable
from dataclasses import dataclass

import matplotlib.pyplot as plt
import numpy as np
import pandas as pd
from matplotlib.axes import Axes
from matplotlib.figure import Figure

from elboflow.figures import style
from elboflow.reading.settings import kinds
from elboflow.vae.choices import DATA

NO_LATENTS = "models without latents"
ABREAST = 3  # panels beside each other, where each run has one
MOST_RUNS = 6  # that a figure shows by panels of their own


@dataclass(frozen=True)
class Shown:
    """The runs that a figure shows, and how many there are."""

    runs: list[str]
    count: int

    @property
    def words(self) -> str:
        """What a figure says of those that it leaves out; nothing if there are none."""
        if self.count == len(self.runs):
            return ""
        return f"{len(self.runs)} of {self.count} runs, the first by name"


def shown(runs: Iterable[str], most: int = MOST_RUNS) -> Shown:
    """The first runs by name, as many as a page can hold."""
    names = sorted(runs)
    return Shown(names[:most], len(names))


def panel_names(settings: pd.DataFrame) -> dict[str, str]:
    """For each run the name of the panel that it shares with those it may be compared with."""
    return {
        run: dataset if observes == "binary" else f"{dataset}, {DATA[observes].words}"
        for run, (dataset, observes) in kinds(settings).items()
    }


def say(axes: Axes, words: str) -> None:
    """Words in the place of a panel that there is nothing to draw in."""
    axes.set_axis_off()
    axes.text(0.5, 0.5, words, ha="center", va="center", transform=axes.transAxes)


def words_alone(words: str) -> Figure:
    """The same in the place of a whole figure."""
    figure = plt.figure(figsize=(style.WIDTH, 1))
    figure.text(0.5, 0.5, words, ha="center", va="center")
    return figure


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
