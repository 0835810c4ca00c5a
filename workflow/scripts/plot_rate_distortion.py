"""Draw how the ELBO of the test images splits into rate and distortion, and its gap to log p(x)."""

from typing import Any

import figure_style as style
import matplotlib.pyplot as plt
import numpy as np
import pandas as pd
from matplotlib.axes import Axes
from matplotlib.figure import Figure
from matplotlib.ticker import MaxNLocator
from result_files import (
    BASELINES,
    RESULTS,
    SETTINGS,
    SUMMARY,
    in_one_line,
    number,
    panel_names,
    read_table,
)

snakemake: Any  # Snakemake puts it into scripts of `script:`

SMALLEST_SPAN = 1.0  # nats, so that a single run is not blown up
ONE_VALUE = 1e-3  # nats, within which a baseline of several runs is the same


def wide(table: pd.DataFrame, rows: list[str], column: str) -> pd.DataFrame:
    """One row for each of `rows`, one column per quantity, nan where a run lacks it."""
    return table.pivot(index=rows, columns="quantity", values=column).sort_index()


def square(rate: pd.Series, distortion: pd.Series, error: float) -> list[tuple[float, float]]:
    """Limits of both axes, in nats: the same span, so that equal ELBOs lie on diagonals."""
    ranges = [(values.min(), values.max()) for values in (rate, distortion)]
    half = 0.62 * (max(SMALLEST_SPAN, *(high - low for low, high in ranges)) + 2 * error)
    return [((low + high) / 2 - half, (low + high) / 2 + half) for low, high in ranges]


def draw_equal_elbos(axes: Axes) -> None:
    """Diagonals on which rate + distortion, and so the ELBO, is the same."""
    (left, right), (bottom, top) = axes.get_xlim(), axes.get_ylim()
    span = right - left
    costs = np.asarray(
        MaxNLocator(nbins=9, steps=[1, 2, 2.5, 5, 10]).tick_values(left + bottom, right + top)
    )
    for cost in costs[(costs > left + bottom) & (costs < right + top)]:
        axes.axline((left, cost - left), slope=-1, color=style.FAINT, linewidth=0.8, zorder=0)
        # The label sits where the line enters through the left or the upper edge.
        x = max(cost - top, left) + 0.02 * span
        if x < right - 0.2 * span and cost - x > bottom + 0.2 * span:
            axes.text(
                x, cost - x, f"ELBO {number(-cost, 1).removesuffix('.0')}", size="x-small",
                color="#707070", rotation=-45, rotation_mode="anchor", va="bottom",
            )  # fmt: skip


def draw_plane(axes: Axes, results: pd.DataFrame, looks: dict[str, style.Look]) -> None:
    """Rate against distortion, one point per seed with its data errors."""
    values = wide(results, ["run", "seed"], "value")
    errors = wide(results, ["run", "seed"], "data_error").fillna(0)
    limits = square(values["rate"], values["distortion"], errors["distortion"].max())
    axes.set(xlim=limits[0], ylim=limits[1], aspect="equal")
    draw_equal_elbos(axes)
    for place, run in enumerate(values.index.get_level_values("run")):
        value, error, look = values.iloc[place], errors.iloc[place], looks[run]
        axes.errorbar(
            value["rate"], value["distortion"], xerr=error["rate"], yerr=error["distortion"],
            fmt=look.marker, color=look.colour, markersize=6, elinewidth=1,
            markeredgecolor="white", markeredgewidth=0.5,
        )  # fmt: skip
    axes.grid(visible=False)
    axes.set_xlabel("rate: KL(q(z|x) || p(z)) (nats per image)")
    axes.set_ylabel("distortion: \N{MINUS SIGN}E log p(x|z) (nats per image)")


def draw_gaps(axes: Axes, summary: pd.DataFrame, looks: dict[str, style.Look]) -> None:
    """From the ELBO to log p(x), one line per run, the best at the top."""
    means = wide(summary, ["run"], "mean")
    errors = wide(summary, ["run"], "data_error").fillna(0)
    means = means.sort_values("log_likelihood", kind="stable")
    for place, run in enumerate(means.index):
        mean, colour = means.loc[run], looks[run].colour
        axes.plot(mean[["elbo", "log_likelihood"]], [place] * 2, color=colour, linewidth=1.5)
        axes.plot(mean["elbo"], place, "|", color=colour, markersize=11, markeredgewidth=2)
        axes.errorbar(
            mean["log_likelihood"], place, xerr=errors.loc[run]["log_likelihood"],
            fmt=looks[run].marker, color=colour, markersize=7, elinewidth=0.8, capsize=2,
        )  # fmt: skip
    axes.set_yticks(range(len(means)), [style.label(run) for run in means.index])
    axes.set_ylim(-0.7, len(means) - 0.3)
    axes.grid(visible=False, axis="y")
    axes.xaxis.set_major_locator(MaxNLocator(nbins=5, steps=[1, 2, 5, 10]))
    axes.set_xlabel("bar: ELBO; marker: log p(x) (nats per image)\nfurther right is better")
    draw_baselines(axes, means)


def draw_baselines(axes: Axes, means: pd.DataFrame) -> None:
    """Name the baselines above the panel; draw a line for those that lie inside it.

    Left out is what the runs lack, or have of different likelihoods and so of different values.
    """
    low, high = axes.get_xlim()
    known = {words: means[name].dropna() for name, words in BASELINES.items() if name in means}
    values = {
        words: float(found.mean())
        for words, found in known.items()
        if len(found) and np.ptp(found) < ONE_VALUE
    }
    for value in values.values():
        if low < value < high:
            axes.axvline(value, color=style.INK, linewidth=0.9, linestyle=":")
    words = [f"{name} {number(value)}" for name, value in values.items()]
    axes.set_title("; ".join(words), size="small")


def plot_rate_distortion(
    results: pd.DataFrame, summary: pd.DataFrame, settings: pd.DataFrame
) -> Figure:
    """Two panels for equal data: the rate-distortion plane, and the gap of every run."""
    style.apply()
    datasets = panel_names(settings)
    names, looks = sorted(set(datasets.values())), style.looks(datasets)
    most = max(list(datasets.values()).count(name) for name in names)
    height = max(3.6, 0.3 * most + 1.2)
    figure, panels = plt.subplots(
        len(names), 2, figsize=(9.3, height * len(names)), squeeze=False, width_ratios=(1, 1)
    )
    for name, (plane, gaps) in zip(names, panels, strict=True):
        draw_plane(plane, results[results["run"].map(datasets) == name], looks)
        draw_gaps(gaps, summary[summary["run"].map(datasets) == name], looks)
        plane.set_title(f"{style.label(name)}, test images", weight="bold")
    return figure


if __name__ == "__main__":
    with in_one_line():
        figure = plot_rate_distortion(
            results=read_table(snakemake.input.runs, RESULTS.gathered),
            summary=read_table(snakemake.input.summary, SUMMARY),
            settings=read_table(snakemake.input.settings, SETTINGS),
        )
        style.save(figure, snakemake.output.figure)
