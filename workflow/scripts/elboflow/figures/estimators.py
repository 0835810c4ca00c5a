"""Draw, image by image, by how much importance sampling differs from AIS."""

from collections.abc import Mapping, Sequence
from pathlib import Path
from typing import Any

import matplotlib.pyplot as plt
import numpy as np
import pandas as pd
from matplotlib.axes import Axes
from matplotlib.figure import Figure

from elboflow.figures import style
from elboflow.figures.panels import ABREAST, shown
from elboflow.reading.columns import SETTINGS
from elboflow.reading.csv_tables import read_table
from elboflow.reading.paths import run_and_seed
from elboflow.reading.tables_bounds import BOUNDS

ORIGINS = {"test": "test images", "simulated": "images that the model made"}
UPPER = "upper bound of these"


def read_bounds(paths: Sequence[str | Path]) -> pd.DataFrame:
    """The rows of all seeds, under their run."""
    frames = []
    for path in paths:
        run, _ = run_and_seed(path)
        frames.append(read_table(path, BOUNDS).assign(run=run))
    return pd.concat(frames, ignore_index=True)


def draw_panel(axes: Axes, images: pd.DataFrame, look: style.Look) -> None:
    """Filled marks are test images, hollow ones simulated, dashes the upper bounds of these."""
    axes.axhline(0, color=style.INK, linewidth=0.9, zorder=1)
    for origin, face in zip(ORIGINS, (look.colour, "white"), strict=True):
        rows = images[images["origin"] == origin]
        errors = np.hypot(rows["importance_error_nats"], rows["ais_error_nats"])
        axes.errorbar(
            rows["ais_nats"],
            rows["importance_nats"] - rows["ais_nats"],
            yerr=errors,
            fmt=look.marker,
            color=look.colour,
            markersize=4,
            elinewidth=0.7,
            linestyle="",
            markerfacecolor=face,
            markeredgecolor=look.colour,
            markeredgewidth=0.8,
        )
    made = images[images["origin"] == "simulated"]
    above = made["upper_nats"] - made["ais_nats"]
    axes.plot(made["ais_nats"], above, "_", color=style.INK, markersize=6)
    axes.margins(y=0.1)


def legend(figure: Figure, words: str) -> None:
    """What the marks are, below all panels, and words on the runs that are not shown."""
    marks = [
        style.legend_mark("o", name, face)
        for name, face in zip(ORIGINS.values(), (style.INK, "white"), strict=True)
    ]
    upper = style.legend_mark("_", UPPER, style.INK)
    figure.legend(handles=[*marks, upper], title=words or None, loc="outside lower center", ncols=3)


def plot_estimators(images: pd.DataFrame, looks: Mapping[str, style.Look]) -> Figure:
    """One panel for each run."""
    style.apply()
    chosen = shown(images["run"].unique())
    runs = chosen.runs
    columns = min(ABREAST, len(runs))
    rows = -(-len(runs) // columns)
    figure, panels = plt.subplots(
        rows, columns, figsize=(style.WIDTH, 2.6 * rows + 0.4), squeeze=False
    )
    for axes in panels.flat[len(runs) :]:
        axes.remove()
    for run, axes in zip(runs, panels.flat, strict=False):
        draw_panel(axes, images[images["run"] == run], looks[run])
        axes.set_title(style.label(run), weight="bold")
        axes.set_xlabel("log p(x) by AIS (nats)")
    for axes in panels[:, 0]:
        axes.set_ylabel("importance sampling\nminus AIS (nats)")
    legend(figure, chosen.words)
    return figure


def draw(inputs: Any) -> Figure:
    """The figure of the files that its rule names."""
    looks = style.looks(read_table(inputs.settings, SETTINGS)["run"])
    return plot_estimators(read_bounds(inputs.bounds), looks)
