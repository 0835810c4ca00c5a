"""Draw Jensen's inequality in the two-case example, and the ELBO of every q."""

from typing import Any

import matplotlib.pyplot as plt
import numpy as np
import pandas as pd
from matplotlib.axes import Axes
from matplotlib.figure import Figure

from elboflow.chapter.jensen import joint
from elboflow.chapter.tables import JENSEN
from elboflow.figures import style
from elboflow.reading.csv_tables import read_table
from elboflow.reading.notation import number

BAD, KNOWS_NOTHING = 0.9, 0.5  # q(spam)
LINE = {"arrowstyle": "-", "color": "#8a8a8a", "shrinkB": 4}
BLUE, RED = style.COLOURS[0], style.COLOURS[1]


def row_at(table: pd.DataFrame, spam: float) -> pd.Series:
    """The row of the q nearest to `spam`."""
    return table.iloc[int((table["q_spam"] - spam).abs().to_numpy().argmin())]


def draw_logarithm(axes: Axes, row: pd.Series) -> None:
    """The weights p(x, z) / q(z) of both cases on the logarithm, and the chord between them."""
    q = np.array([row["q_spam"], 1 - row["q_spam"]])
    weights = joint() / q
    mean, curve = float(np.exp(row["log_p_nats"])), np.linspace(0.06, 1.02 * weights.max(), 200)
    axes.plot(curve, np.log(curve), color=style.INK, linewidth=1.5)
    axes.plot(weights, np.log(weights), "o--", color=RED, linewidth=1.2)
    axes.plot([mean, mean], [row["elbo_nats"], row["log_p_nats"]], color=BLUE, linewidth=3)
    evidence, bound = number(row["log_p_nats"], 3), number(row["elbo_nats"], 3)
    notes = (
        (f"spam: w = {number(weights[0], 3)}", (weights[0], np.log(weights[0])), (0.16, -2.62)),
        (f"no spam:\nw = {number(weights[1], 3)}", (weights[1], np.log(weights[1])), (0.56, -1.25)),
        (f"log E[w]\n= log p(x) = {evidence}", (mean, row["log_p_nats"]), (0.065, -1.0)),
        (f"E[log w] = ELBO = {bound}", (mean, row["elbo_nats"]), (0.3, -2.2)),
        (f"the gap, {number(row['gap_nats'], 3)}", (mean, row["log_p_nats"] - 0.1), (0.3, -1.88)),
    )
    for text, point, place in notes:
        axes.annotate(text, point, place, arrowprops=LINE)
    axes.set(xlabel="w = p(x, z) / q(z)", ylabel="log w (nats)", ylim=(-2.85, -0.15))
    axes.set_title(f"Jensen's inequality at q(spam) = {row['q_spam']:g}", weight="bold")


def draw_elbos(axes: Axes, table: pd.DataFrame) -> None:
    """ELBO against q(spam), with its gap to log p(x) filled."""
    evidence = table["log_p_nats"].iloc[0]
    axes.axhline(evidence, color=style.INK, linewidth=1.2)
    axes.text(0.01, evidence + 0.015, f"log p(x) = {number(evidence, 4)}", va="bottom")
    axes.plot(table["q_spam"], table["elbo_nats"], color=BLUE, linewidth=1.8)
    axes.fill_between(table["q_spam"], table["elbo_nats"], evidence, color=BLUE, alpha=0.13)
    exact = table.iloc[int(table["gap_nats"].to_numpy().argmin())]
    marks = (
        (row_at(table, BAD), "D", "bad", (0.8, -2.45)),
        (row_at(table, KNOWS_NOTHING), "s", "knows nothing", (0.35, -2.38)),
        (exact, "o", "exact", (0.7, -2.13)),
    )
    for row, marker, name, place in marks:
        at = row["q_spam"], row["elbo_nats"]
        axes.plot(*at, marker, color=RED, markersize=7, markeredgecolor="white", zorder=4)
        words = f"{name}, q = {number(at[0], 3)}\ngap {number(abs(row['gap_nats']), 4)}"
        axes.annotate(words, at, place, ha="center", va="top", arrowprops=LINE)
    axes.set(xlim=(0, 1), ylim=(-2.85, -1.72), xlabel="q(spam)", ylabel="ELBO (nats)")
    axes.set_title("ELBO of every q: the gap is KL(q || p(z|x))", weight="bold")


def plot_jensen(table: pd.DataFrame) -> Figure:
    """Two panels: why the ELBO is a bound, and how tight it is for each q."""
    style.apply()
    figure, (left, right) = plt.subplots(1, 2, figsize=(9.3, 4.0))
    draw_logarithm(left, row_at(table, BAD))
    draw_elbos(right, table)
    return figure


def draw(inputs: Any) -> Figure:
    """The figure of the files that its rule names."""
    return plot_jensen(read_table(inputs.jensen, JENSEN))
