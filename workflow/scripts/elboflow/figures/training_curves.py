"""Draw the ELBO of training and validation images per epoch, one panel per run."""

import math
from collections.abc import Sequence
from typing import Any

import matplotlib.pyplot as plt
import numpy as np
import pandas as pd
from matplotlib.axes import Axes
from matplotlib.figure import Figure
from matplotlib.lines import Line2D

from elboflow.figures import style
from elboflow.figures.panels import ABREAST, panel_names
from elboflow.reading.columns import METRICS, SETTINGS
from elboflow.reading.csv_tables import read_table
from elboflow.reading.notation import number
from elboflow.reading.settings import setting

VALIDATION, TRAINING = "validation_elbo_nats", "train_elbo_nats"
RATE = "validation_rate_nats"
MOST = 12  # panels: the runs of a data set that are kept at the best ELBO
EARLY = 0.08  # the part of the epochs whose steep rise may lie below the frame


def kept_epochs(
    training: pd.DataFrame, patience: dict[str, str], warmup: dict[str, str], beta: dict[str, str]
) -> pd.DataFrame:
    """The row of each run and seed whose parameters are evaluated.

    With patience that is the epoch of the best -distortion - beta x rate of the validation images
    since the end of the warm-up; without patience, or where the warm-up did not end, the last.
    """
    chosen = []
    for (run, _), rows in training.groupby(["run", "seed"]):
        stops_early = patience.get(str(run), "null") != "null"
        warm = rows[rows["epoch"] >= float(warmup.get(str(run), 0))]
        best = stops_early and len(warm)
        objective = warm[VALIDATION] - (float(beta.get(str(run), 1)) - 1) * warm[RATE]
        chosen.append(objective.idxmax() if best else rows["epoch"].idxmax())
    return training.loc[chosen]


def elbo_range(training: pd.DataFrame) -> tuple[float, float]:
    """Limits of the ELBO axis, in nats: all but the steep rise of the first epochs."""
    last = training.groupby(["run", "seed"])["epoch"].transform("max")
    later = training[training["epoch"] >= np.minimum(last, 1 + np.ceil(EARLY * last))]
    low, high = later[[VALIDATION, TRAINING]].min().min(), later[[VALIDATION, TRAINING]].max().max()
    margin = 0.05 * max(high - low, 1.0)
    return low - margin, high + margin


def best_runs(kept: pd.DataFrame, datasets: dict[str, str]) -> dict[str, str]:
    """The runs that are drawn, with their data sets: of each at most MOST, the best of those."""
    elbos = kept.groupby("run")[VALIDATION].mean().sort_values(ascending=False, kind="stable")
    places = elbos.groupby(elbos.index.map(datasets)).cumcount()
    return {run: datasets[run] for run in datasets if places[run] < MOST}


def grid(datasets: dict[str, str]) -> list[list[str]]:
    """Runs in rows of panels; each data set begins a row."""
    rows = []
    for dataset in sorted(set(datasets.values())):
        runs = sorted(run for run in datasets if datasets[run] == dataset)
        rows += [runs[first : first + ABREAST] for first in range(0, len(runs), ABREAST)]
    return rows


def draw_run(
    axes: Axes, training: pd.DataFrame, kept: pd.DataFrame, run: str, look: style.Look
) -> None:
    """One panel: this run in its colour, the runs of the same data set behind it in grey."""
    for (other, _), rows in training.groupby(["run", "seed"]):
        if other != run:
            axes.plot(rows["epoch"], rows[VALIDATION], color=style.FAINT, linewidth=0.7, zorder=1)
    for _, rows in training[training["run"] == run].groupby("seed"):
        axes.plot(rows["epoch"], rows[TRAINING], color=look.colour, linewidth=0.7, alpha=0.55)
        axes.plot(rows["epoch"], rows[VALIDATION], color=look.colour, linewidth=1.5)
    axes.set_title(style.label(run, 30), weight="bold")
    draw_kept(axes, kept[kept["run"] == run], look)


def draw_kept(axes: Axes, own: pd.DataFrame, look: style.Look) -> None:
    """What is evaluated: an epoch of each seed, or the level of weights that were given."""
    kept = number(own[VALIDATION].mean())
    given = (own["epoch"] == 0).all()
    if given:
        axes.axhline(own[VALIDATION].mean(), color=look.colour, linewidth=1.5, linestyle="--")
    else:
        at, edge = (own["epoch"], own[VALIDATION]), "white"
        axes.plot(*at, look.marker, color=look.colour, markersize=7, markeredgecolor=edge, zorder=3)
    text = f"weights given,\nnot trained here: {kept}" if given else f"kept: {kept}"
    axes.text(0.97, 0.04, text, transform=axes.transAxes, ha="right")


def legend_entries(runs: int) -> list[Line2D]:
    ink = style.INK
    entries = [
        Line2D([], [], color=ink, linewidth=1.5, label="validation, one line per seed"),
        Line2D([], [], color=ink, linewidth=0.7, alpha=0.55, label="training"),
        Line2D([], [], color=ink, linestyle="", marker="o", label="epoch that is kept"),
        Line2D([], [], color=style.FAINT, linewidth=0.7, label="validation of the other runs"),
    ]
    return entries if runs > 1 else entries[:-1]


def plot_training_curves(training: pd.DataFrame, settings: pd.DataFrame) -> Figure:
    """Small multiples of ELBO (nats per image) against epoch; one ELBO axis for equal data."""
    style.apply()
    looks = style.looks(panel_names(settings))
    keys = ("patience", "warmup_epochs", "beta")
    kept = kept_epochs(training, *(setting(settings, key) for key in keys))
    datasets = best_runs(kept, panel_names(settings))
    rows = grid(datasets)
    columns = max(len(row) for row in rows)
    size = (style.WIDTH, 2.5 * len(rows) + 0.5)
    figure, panels = plt.subplots(len(rows), columns, figsize=size, squeeze=False)
    for row, line in zip(rows, panels, strict=True):
        same = training[training["run"].map(datasets) == datasets[row[0]]]
        for axes, run in zip(line, row, strict=False):
            draw_run(axes, same, kept, run, looks[run])
        finish_row(line, row, same, name=datasets[row[0]])
    figure.supxlabel("epoch")
    figure.legend(handles=legend_entries(len(datasets)), loc="outside upper left", ncols=2)
    return figure


def finish_row(line: Sequence[Axes], row: list[str], same: pd.DataFrame, name: str) -> None:
    """Give the panels of a row the same axes and take away those without a run."""
    for axes in line[: len(row)]:
        axes.set_xlim(0, max(1, math.ceil(same["epoch"].max() * 1.03)))
        axes.set_ylim(*elbo_range(same))
    line[0].set_ylabel(f"ELBO of {style.label(name)}\n(nats per image)")
    for axes in line[len(row) :]:
        axes.set_axis_off()


def draw(inputs: Any) -> Figure:
    """The figure of the files that its rule names."""
    return plot_training_curves(
        training=read_table(inputs.training, METRICS.gathered),
        settings=read_table(inputs.settings, SETTINGS),
    )
