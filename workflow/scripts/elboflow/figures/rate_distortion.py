"""Draw how the ELBO of the test images splits into rate and distortion, and its gap to log p(x)."""

from collections.abc import Mapping, Sequence
from typing import Any

import pandas as pd
from matplotlib.axes import Axes
from matplotlib.figure import Figure
from matplotlib.ticker import MaxNLocator

from elboflow.figures import style
from elboflow.figures.panels import NO_LATENTS, panel_names, panel_rows, say
from elboflow.figures.rate_distortion_plane import (
    beta_series,
    draw_equal_elbos,
    draw_regions,
    name_betas,
    square,
)
from elboflow.reading.columns import BASELINES, RESULTS, SETTINGS, SUMMARY
from elboflow.reading.csv_tables import read_table
from elboflow.reading.figure_tables import one_value, wide
from elboflow.reading.notation import number


def draw_plane(
    axes: Axes,
    results: pd.DataFrame,
    means: pd.DataFrame,
    series: Sequence[Mapping[str, float]],
    looks: dict[str, style.Look],
) -> None:
    """Rate against distortion, one point per seed with its data errors, over the regions."""
    results = results[results["run"].isin(results.loc[results["quantity"] == "rate", "run"])]
    if results.empty:
        say(axes, f"{NO_LATENTS} have no rate")
        return
    values = wide(results, ["run", "seed"], "value")
    errors = wide(results, ["run", "seed"], "data_error").fillna(0)
    rate, distortion = values["rate"], values["distortion"]
    floor = one_value(means, "noise_floor")
    entropy = None if floor is None else -floor
    limits = square(rate, distortion, errors["distortion"].max(), entropy)
    axes.set(xlim=limits[0], ylim=limits[1], aspect="equal")
    draw_regions(axes, rate, distortion, entropy)
    draw_equal_elbos(axes, entropy)
    name_betas(axes, means, series)
    for place, run in enumerate(values.index.get_level_values("run")):
        error, look = errors.iloc[place], looks[run]
        axes.errorbar(
            rate.iloc[place],
            distortion.iloc[place],
            xerr=error["rate"],
            yerr=error["distortion"],
            markersize=6,
            elinewidth=1,
            **look.marks,
            **style.EDGE,
        )
    axes.grid(visible=False)
    axes.set_xlabel("rate: KL(q(z|x) || p(z)) (nats per image)")
    axes.set_ylabel("distortion: \N{MINUS SIGN}E log p(x|z) (nats per image)")


def draw_gaps(
    axes: Axes, means: pd.DataFrame, errors: pd.DataFrame, looks: dict[str, style.Look]
) -> None:
    """From the ELBO to log p(x), one line per run, the best at the top.

    Of a model without latents log p(x) alone.
    """
    means = means.reindex(columns=means.columns.union(["elbo"]))
    means = means.sort_values("log_likelihood", kind="stable")
    for place, run in enumerate(means.index):
        mean, colour = means.loc[run], looks[run].colour
        axes.plot(mean[["elbo", "log_likelihood"]], [place] * 2, color=colour, linewidth=1.5)
        axes.plot(mean["elbo"], place, "|", color=colour, markersize=11, markeredgewidth=2)
        error = errors.loc[run]["log_likelihood"]
        marks = {**looks[run].marks, **style.BARS}
        axes.errorbar(mean["log_likelihood"], place, xerr=error, markersize=7, **marks)
    axes.set_yticks(range(len(means)), [style.label(run) for run in means.index])
    axes.set_ylim(-0.7, len(means) - 0.3)
    axes.grid(visible=False, axis="y")
    axes.xaxis.set_major_locator(MaxNLocator(nbins=5, steps=[1, 2, 5, 10]))
    axes.set_xlabel("bar: ELBO; marker: log p(x)\n(nats per image, further right is better)")
    draw_baselines(axes, means)


def draw_baselines(axes: Axes, means: pd.DataFrame) -> None:
    """Name the baselines above the panel; draw a line for those that lie inside it.

    Left out is what the runs lack, or have of different likelihoods and so of different values.
    """
    low, high = axes.get_xlim()
    known = {words: one_value(means, name) for name, words in BASELINES.items()}
    values = {words: value for words, value in known.items() if value is not None}
    for value in values.values():
        if low < value < high:
            axes.axvline(value, color=style.INK, linewidth=0.9, linestyle=":")
    words = [f"{name} {number(value)}" for name, value in values.items()]
    axes.set_title("; ".join(words), size=style.LETTERS)


def plot_rate_distortion(
    results: pd.DataFrame, summary: pd.DataFrame, settings: pd.DataFrame
) -> Figure:
    """Two panels for equal data: the rate-distortion plane, and the gap of every run."""
    style.apply()
    datasets, series = panel_names(settings), beta_series(settings)
    names, looks = sorted(set(datasets.values())), style.looks(datasets)
    most = max(list(datasets.values()).count(name) for name in names)
    height = max(3.6, 0.3 * most + 1.2)
    figure, panels = panel_rows(names, 2, width=style.WIDTH, height=height)
    for name, (plane, gaps) in zip(names, panels, strict=True):
        own = summary[summary["run"].map(datasets) == name]
        means, errors = wide(own, ["run"], "mean"), wide(own, ["run"], "data_error").fillna(0)
        seeds = results[results["run"].map(datasets) == name]
        draw_plane(plane, seeds, means, series, looks)
        draw_gaps(gaps, means, errors, looks)
    return figure


def draw(inputs: Any) -> Figure:
    """The figure of the files that its rule names."""
    return plot_rate_distortion(
        results=read_table(inputs.runs, RESULTS.gathered),
        summary=read_table(inputs.summary, SUMMARY),
        settings=read_table(inputs.settings, SETTINGS),
    )
