"""Draw the exact posterior over 2^K states beside its mean-field q, and the gap of every image."""

from typing import Any

import matplotlib.pyplot as plt
import numpy as np
import pandas as pd
from matplotlib.axes import Axes
from matplotlib.figure import Figure

from elboflow.chapter.tables import DISCRETE, STATES
from elboflow.figures import style
from elboflow.reading.csv_tables import read_table
from elboflow.reading.notation import number

STATES_SHOWN = 12  # of the states, the likeliest
BLUE, RED = style.COLOURS[0], style.COLOURS[1]


def draw_states(axes: Axes, states: pd.DataFrame, gap: float) -> None:
    """Bars of p(z|x) and of q(z) for the likeliest states of one image."""
    shown, place = states.iloc[:STATES_SHOWN], np.arange(min(STATES_SHOWN, len(states)))
    axes.barh(place - 0.2, shown["posterior"], 0.4, color=style.GREY, label="exact p(z|x)")
    hatched: dict[str, Any] = {"color": "white", "edgecolor": BLUE, "hatch": "////"}
    axes.barh(place + 0.2, shown["mean_field"], 0.4, label="q of independent switches", **hatched)
    axes.set_yticks(place, shown["state"])
    axes.invert_yaxis()
    axes.grid(visible=False, axis="y")
    axes.set(xlabel="probability", ylabel="state z of the switches")
    axes.legend(loc="lower right")
    image = int(states["image"].iloc[0])
    axes.set_title(f"test image {image}, the largest gap: {number(gap, 4)} nats", weight="bold")


def draw_gap_of_images(axes: Axes, table: pd.DataFrame) -> None:
    """Gap against log p(x), one point per image."""
    worst = table.iloc[int(table["gap_nats"].to_numpy().argmax())]
    axes.plot(table["log_p_nats"], table["gap_nats"], "o", color=BLUE, markersize=4, alpha=0.7)
    axes.plot(worst["log_p_nats"], worst["gap_nats"], "D", color=RED, label="the image on the left")
    mean = table["gap_nats"].mean()
    axes.axhline(
        mean, color=style.INK, linewidth=1, linestyle="--", label=f"mean {number(mean, 3)}"
    )
    axes.set(xlabel="log p(x) (nats), exact", ylabel="gap log p(x) \N{MINUS SIGN} ELBO (nats)")
    axes.set_ylim(0, 1.3 * worst["gap_nats"])  # room for the legend
    axes.legend(loc="upper left")
    axes.set_title(f"all {len(table)} images", weight="bold")


def plot_discrete(table: pd.DataFrame, states: pd.DataFrame) -> Figure:
    """Two panels: the posterior of one image, and the gap of all."""
    style.apply()
    figure, (left, right) = plt.subplots(1, 2, figsize=(style.WIDTH, 4.2))
    draw_states(left, states, table["gap_nats"].max())
    draw_gap_of_images(right, table)
    return figure


def draw(inputs: Any) -> Figure:
    """The figure of the files that its rule names."""
    return plot_discrete(read_table(inputs.discrete, DISCRETE), read_table(inputs.states, STATES))
