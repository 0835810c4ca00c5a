"""Draw the ELBO of one image over mean and width of q, and its two parts along the width."""

from typing import Any

import matplotlib.pyplot as plt
import numpy as np
import pandas as pd
from matplotlib.axes import Axes
from matplotlib.figure import Figure
from matplotlib.ticker import NullFormatter

from elboflow.chapter.tables import SURFACE
from elboflow.figures import style
from elboflow.reading.csv_tables import read_table
from elboflow.reading.notation import number

LEVELS = [0.2, 0.5, 1, 2, 5, 10, 20]  # nats below log p(x)
TICKS = [0.1, 0.2, 0.5, 1]
BEST: dict[str, Any] = {"color": style.COLOURS[1], "markersize": 8, "markeredgecolor": "white"}


def draw_surface(axes: Axes, table: pd.DataFrame, best: pd.Series) -> None:
    """Lines of equal gap log p(x) - ELBO over mu_1 and sigma."""
    gap = table.assign(gap=table["log_p_nats"] - table["elbo_nats"]).pivot(
        index="sd", columns="mean_1", values="gap"
    )
    tones = plt.get_cmap("Greys_r")(np.linspace(0.42, 1.0, len(LEVELS) + 1))
    filled = [0.0, *LEVELS, 1e9]
    axes.contourf(gap.columns, gap.index, gap, levels=filled, colors=tones[::-1], zorder=0)
    lines = axes.contour(
        gap.columns, gap.index, gap, levels=LEVELS, colors=style.INK, linewidths=0.8
    )
    # In dark a page changes INK, but not these greys nor what is written on them.
    axes.clabel(
        lines,
        LEVELS[1:],
        fmt=lambda level: f"{level:g}",
        fontsize=style.LETTERS,
        colors="#222222",
    )
    at = best["mean_1"], best["sd"]
    axes.plot(*at, "o", **BEST)
    axes.annotate(
        f"best: gap {number(best['log_p_nats'] - best['elbo_nats'], 3)}",
        at,
        (70, -85),
        textcoords="offset points",
        ha="center",
        arrowprops={"arrowstyle": "-", "color": style.INK},
        bbox={"boxstyle": "round,pad=0.3", "facecolor": "white", "edgecolor": "none"},
    )
    axes.set(xlabel="mean \N{GREEK SMALL LETTER MU}\N{SUBSCRIPT ONE} of q", yscale="log")
    axes.set_title("gap log p(x) \N{MINUS SIGN} ELBO (nats)", weight="bold")


def draw_parts(axes: Axes, table: pd.DataFrame, best: pd.Series) -> None:
    """Rate, distortion and their sum against sigma, at the best mean."""
    own = table[table["mean_1"] == best["mean_1"]].sort_values("sd")
    blue, red = style.COLOURS[0], style.COLOURS[1]
    axes.plot(own["distortion_nats"], own["sd"], "--", color=red, label="distortion")
    axes.plot(own["rate_nats"], own["sd"], ":", color=blue, linewidth=2, label="rate")
    total = "\N{MINUS SIGN}ELBO: their sum"
    axes.plot(-own["elbo_nats"], own["sd"], color=style.INK, linewidth=1.8, label=total)
    axes.axvline(
        -best["log_p_nats"], color=style.GREY, linewidth=1.2, label="\N{MINUS SIGN}log p(x)"
    )
    axes.plot(-best["elbo_nats"], best["sd"], "o", zorder=4, **BEST)
    axes.set(xlabel="nats", xlim=(0, 1.08 * -own["elbo_nats"].min()))
    axes.set_title("what \N{GREEK SMALL LETTER SIGMA} costs, at the best means", weight="bold")
    axes.legend(loc="center", bbox_to_anchor=(0.38, 0.5))


def plot_surface(table: pd.DataFrame) -> Figure:
    """Two panels that share the axis of sigma."""
    style.apply()
    best = table.iloc[int(table["elbo_nats"].to_numpy().argmax())]
    figure, (left, right) = plt.subplots(1, 2, figsize=(style.WIDTH, 4.2), sharey=True)
    draw_surface(left, table, best)
    draw_parts(right, table, best)
    left.set_yticks(TICKS, [f"{tick:g}" for tick in TICKS])
    left.yaxis.set_minor_formatter(NullFormatter())
    left.set_ylabel("standard deviation \N{GREEK SMALL LETTER SIGMA} of q")
    return figure


def draw(inputs: Any) -> Figure:
    """The figure of the files that its rule names."""
    return plot_surface(read_table(inputs.surface, SURFACE))
