"""Draw how the bound on log p(x) rises with the number of importance samples, and where to."""

from typing import Any

import pandas as pd
from matplotlib.axes import Axes
from matplotlib.figure import Figure

from elboflow.figures import style
from elboflow.figures.panels import NO_LATENTS, panel_names, panel_rows, say, shown
from elboflow.reading.columns import CURVE, SETTINGS, SUMMARY
from elboflow.reading.csv_tables import read_table
from elboflow.reading.figure_tables import wide

STANDARD_ERRORS = 2.0  # that the band has to either side
MOST = 10  # runs whose names fit beside a panel
BEYOND = 4.0  # where log p(x) itself is drawn: to the right of the largest K, as a multiple of it


def draw_curve(axes: Axes, rows: pd.DataFrame, look: style.Look, zero: float) -> None:
    """The bound of a run, the mean over seeds, less its value at K, in its band."""
    seeds = rows.groupby("samples", sort=True)
    mean, count = seeds["bound_nats"].mean(), seeds.size()
    squares = rows["monte_carlo_error_nats"].pow(2).groupby(rows["samples"], sort=True).sum()
    half, bound = STANDARD_ERRORS * squares.pow(0.5) / count, mean - zero
    low, high = bound - half, bound + half
    axes.fill_between(mean.index, low, high, color=look.colour, alpha=0.2, linewidth=0)
    axes.plot(mean.index, bound, f"-{look.marker}", color=look.colour, markersize=4, linewidth=1)


def draw_end(axes: Axes, mean: pd.Series, look: style.Look, place: float) -> None:
    """log p(x) less the bound at K: the estimate, its interval, and a star at the exact value."""
    zero = mean["log_likelihood"]
    ends = [mean[f"log_likelihood_{end}"] - zero for end in ("lower", "upper")]
    axes.plot([place] * 2, ends, "-_", color=look.colour, linewidth=1.5, markersize=7)
    axes.plot(
        place, mean["log_likelihood_bias"], look.marker, color=look.colour, markerfacecolor="white"
    )
    if (exact := mean.get("exact_log_likelihood", float("nan"))) == exact:
        axes.plot(place, exact - zero, "*", color=style.INK, markersize=7, zorder=3)


def draw_runs(
    axes: Axes, curves: pd.DataFrame, means: pd.DataFrame, looks: dict[str, style.Look]
) -> None:
    """All runs on equal data."""
    if curves.empty:
        say(axes, f"log p(x) of {NO_LATENTS} is exact: no bound rises to it")
        return
    largest, of_run = curves["samples"].max(), dict(means.iterrows())
    chosen = shown(set(curves["run"]), MOST)
    for number, run in enumerate(chosen.runs):
        mean, look = of_run[run], looks[run]
        draw_curve(axes, curves[curves["run"] == run], look, float(mean["log_likelihood"]))
        draw_end(axes, mean, look, largest * BEYOND * 1.3**number)
        axes.plot([], [], look.marker, color=look.colour, label=style.label(run))
    axes.axhline(0, color=style.INK, linewidth=0.9)
    axes.axvline(largest * BEYOND**0.5, color=style.INK, linewidth=0.9, linestyle=":")
    axes.set_xscale("log", base=2)
    samples = sorted(curves["samples"].unique())
    axes.set_xticks(samples, [f"{count:.4g}" for count in samples], rotation=45)
    axes.minorticks_off()
    axes.set_xlabel("importance samples per image; right of the dotted line: log p(x), estimated")
    axes.set_ylabel("bound less its value at K\n(nats per image)")
    axes.legend(loc="upper left", bbox_to_anchor=(1, 1))
    if chosen.words:
        axes.set_title(chosen.words, loc="right", size=style.LETTERS)


def plot_bound_against_k(
    curves: pd.DataFrame, summary: pd.DataFrame, settings: pd.DataFrame
) -> Figure:
    """One panel for equal data."""
    style.apply()
    panels, means = panel_names(settings), wide(summary, ["run"], "mean")
    names, looks = sorted(set(panels.values())), style.looks(panels)
    figure, rows = panel_rows(names, 1, width=style.WIDTH, height=3.4)
    for name, (axes,) in zip(names, rows, strict=True):
        draw_runs(axes, curves[curves["run"].map(panels) == name], means, looks)
    return figure


def draw(inputs: Any) -> Figure:
    """The figure of the files that its rule names."""
    return plot_bound_against_k(
        curves=read_table(inputs.bound_against_k, CURVE.gathered, may_be_empty=True),
        summary=read_table(inputs.summary, SUMMARY),
        settings=read_table(inputs.settings, SETTINGS),
    )
