"""Draw how well images that a model makes can be told from test images, against its distortion."""

from typing import Any

import figure_style as style
import matplotlib.pyplot as plt
import pandas as pd
from figure_tables import wide
from matplotlib.axes import Axes
from matplotlib.figure import Figure
from matplotlib.lines import Line2D
from result_files import SETTINGS, SUMMARY, in_one_line, panel_names, read_table

snakemake: Any  # Snakemake puts it into scripts of `script:`

# Quantity and its name in the legend; the first is drawn filled, the second hollow.
MARKS = {"sample_1nn_accuracy": "samples", "reconstruction_1nn_accuracy": "reconstructions"}
TRAINING = "training_1nn_accuracy"
CHANCE = 0.5


def measured(summary: pd.DataFrame) -> pd.DataFrame:
    """The rows of runs that have these accuracies; those of few test images have none."""
    runs = summary.loc[summary["quantity"] == next(iter(MARKS)), "run"]
    return summary[summary["run"].isin(runs)]


def draw_run(axes: Axes, mean: pd.Series, error: pd.Series, look: style.Look) -> None:
    """A filled and a hollow mark at the run's distortion, joined by a dotted line."""
    axes.plot([mean["distortion"]] * 2, mean[list(MARKS)], ":", color=look.colour, linewidth=1)
    for quantity, face in zip(MARKS, (look.colour, "white"), strict=True):
        axes.errorbar(
            mean["distortion"], mean[quantity], yerr=error[quantity],
            fmt=look.marker, color=look.colour, markersize=6, elinewidth=0.8,
            capsize=3, markerfacecolor=face, markeredgecolor=look.colour,
        )  # fmt: skip


def draw_references(axes: Axes, training: float) -> None:
    """Lines at chance and at what training images get, named at the right."""
    for value, words, line in ((CHANCE, "chance", "-"), (training, "training images", ":")):
        axes.axhline(value, color=style.INK, linewidth=0.9, linestyle=line, zorder=1)
        axes.text(
            0.99, value, words, transform=axes.get_yaxis_transform(), size="x-small", ha="right",
            va="bottom" if value == max(CHANCE, training) else "top",
        )  # fmt: skip


def draw_legend(axes: Axes, looks: dict[str, style.Look]) -> None:
    """Which run is which, and what is filled and hollow."""
    kinds = [
        Line2D([], [], marker="o", color=style.INK, markerfacecolor=face, linestyle="", label=words)
        for words, face in zip(MARKS.values(), (style.INK, "white"), strict=True)
    ]
    runs = [
        Line2D([], [], marker=look.marker, color=look.colour, linestyle="", label=style.label(run))
        for run, look in looks.items()
    ]
    axes.legend(handles=[*kinds, *runs], loc="upper left", bbox_to_anchor=(1, 1))


def draw_panel(axes: Axes, summary: pd.DataFrame, looks: dict[str, style.Look]) -> None:
    """All runs on equal data."""
    means, errors = wide(summary, ["run"], "mean"), wide(summary, ["run"], "data_error").fillna(0)
    for run in means.index:
        draw_run(axes, means.loc[run], errors.loc[run], looks[str(run)])
    draw_references(axes, means[TRAINING].mean())
    axes.set_xlabel("distortion: \N{MINUS SIGN}E log p(x|z) (nats per image)")
    axes.set_ylabel("accuracy of 1-nearest-neighbour\nnearer to 0.5 is better")
    draw_legend(axes, {str(run): looks[str(run)] for run in means.index})


def plot_sample_quality(summary: pd.DataFrame, settings: pd.DataFrame) -> Figure:
    """One panel for equal data; without any accuracies a figure that says so."""
    style.apply()
    panels, rows = panel_names(settings), measured(summary)
    names = sorted({panels[run] for run in rows["run"]})
    if not names:
        figure = plt.figure(figsize=(7.5, 1))
        figure.text(0.5, 0.5, "not measured: too few test images", ha="center", va="center")
        return figure
    figure, axes = plt.subplots(len(names), 1, figsize=(7.5, 3.8 * len(names)), squeeze=False)
    for name, panel in zip(names, axes[:, 0], strict=True):
        draw_panel(panel, rows[rows["run"].map(panels) == name], style.looks(panels))
        panel.set_title(f"{style.label(name)}, test images", weight="bold")
    return figure


if __name__ == "__main__":
    with in_one_line():
        figure = plot_sample_quality(
            summary=read_table(snakemake.input.summary, SUMMARY),
            settings=read_table(snakemake.input.settings, SETTINGS),
        )
        style.save(figure, snakemake.output.figure)
