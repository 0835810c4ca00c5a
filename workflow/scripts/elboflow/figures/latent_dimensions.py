"""Draw what each dimension of z carries: KL and variance of its posterior mean, a row per run."""

from typing import Any

import matplotlib.pyplot as plt
import numpy as np
import pandas as pd
from matplotlib.axes import Axes
from matplotlib.figure import Figure
from matplotlib.ticker import FuncFormatter, MaxNLocator, NullFormatter

from elboflow.figures import style
from elboflow.figures.panels import NO_LATENTS, shown, words_alone
from elboflow.reading.columns import SETTINGS, UNITS
from elboflow.reading.csv_tables import read_table
from elboflow.reading.settings import setting
from elboflow.vae.measure.conventions import INFORMATIVE

LEAST_DRAWN = 1e-6  # of what is drawn on a logarithmic axis
AXIS_LABELS = {
    "rate_nats": "KL (nats)",
    "posterior_mean_variance": "var E[z|x]",
}


def draw_sorted(axes: Axes, rows: pd.DataFrame, column: str, look: style.Look) -> None:
    """The values of each seed from the largest down, on a logarithmic axis."""
    for _, own in rows.groupby("seed", sort=True):
        values = own[column].sort_values(ascending=False).clip(lower=LEAST_DRAWN)
        places = np.arange(1, len(values) + 1)
        axes.plot(places, values, marker=look.marker, color=look.colour, markersize=3, linewidth=1)
    axes.set_yscale("log")
    axes.yaxis.set_major_formatter(FuncFormatter(lambda value, _: f"{value:g}"))
    axes.yaxis.set_minor_formatter(NullFormatter())
    axes.xaxis.set_major_locator(MaxNLocator(integer=True))
    axes.set_ylabel(AXIS_LABELS[column])


def draw_rates(axes: Axes, rows: pd.DataFrame, look: style.Look) -> None:
    """KL of each dimension, or the word that there is none."""
    if rows["rate_nats"].isna().any():
        words, within = "the KL is no sum over dimensions", axes.transAxes
        axes.text(0.5, 0.5, words, ha="center", va="center", transform=within)
        axes.set_axis_off()
        return
    draw_sorted(axes, rows, "rate_nats", look)
    axes.axhline(INFORMATIVE, color=style.INK, linewidth=0.9, linestyle=":")


def draw_variances(axes: Axes, rows: pd.DataFrame, look: style.Look, threshold: float) -> None:
    """Variance of each posterior mean, and the band around the threshold."""
    draw_sorted(axes, rows, "posterior_mean_variance", look)
    axes.axhspan(threshold / 2, 2 * threshold, color=style.FAINT, linewidth=0, zorder=0)
    axes.axhline(threshold, color=style.INK, linewidth=0.9)


def plot_latent_dimensions(units: pd.DataFrame, settings: pd.DataFrame) -> Figure:
    """One row of two panels for each run with latents: nats, and a variance without unit."""
    style.apply()
    thresholds = setting(settings, "active_unit_threshold")
    looks, chosen = style.looks(settings["run"]), shown(set(units["run"]))
    drawn = chosen.runs
    if not drawn:
        return words_alone(f"{NO_LATENTS} alone")
    size = (7.2, 1.6 * len(drawn) + 0.5)
    figure, panels = plt.subplots(len(drawn), 2, figsize=size, squeeze=False, sharey="col")
    for run, (left, right) in zip(drawn, panels, strict=True):
        rows = units[units["run"] == run]
        draw_rates(left, rows, looks[run])
        draw_variances(right, rows, looks[run], float(thresholds[run]))
        left.set_title(style.label(run, 30), weight="bold")
    for axes in panels[-1]:
        axes.set_xlabel("dimension, the largest first")
    if chosen.words:
        figure.supxlabel(chosen.words)
    return figure


def draw(inputs: Any) -> Figure:
    """The figure of the files that its rule names."""
    return plot_latent_dimensions(
        units=read_table(inputs.units, UNITS.gathered, may_be_empty=True),
        settings=read_table(inputs.settings, SETTINGS),
    )
