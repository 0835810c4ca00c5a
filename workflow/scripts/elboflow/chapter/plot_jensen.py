"""Draw Jensen's inequality in the two-case example, and the ELBO of every q."""

from collections.abc import Sequence
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
from elboflow.vae.measure.quadrature import Array

BAD, KNOWS_NOTHING = 0.9, 0.5  # q(spam)
LINE = {"arrowstyle": "-", "color": style.GREY, "shrinkB": 4}
MARKS = (("D", "bad"), ("s", "knows nothing"), ("o", "exact"))  # of these and of the posterior
BLUE, RED = style.COLOURS[0], style.COLOURS[1]


def row_at(table: pd.DataFrame, spam: float) -> pd.Series:
    """The row of the q nearest to `spam`."""
    return table.iloc[int((table["q_spam"] - spam).abs().to_numpy().argmin())]


def weights_of(row: pd.Series) -> Array:
    """p(x, z) / q(z) of both cases, shape (2,)."""
    return joint() / np.array([row["q_spam"], 1 - row["q_spam"]])


def draw_curve(axes: Axes, largest: float) -> None:
    curve = np.linspace(0.06, 1.02 * largest, 200)
    axes.plot(curve, np.log(curve), color=style.INK, linewidth=1.5)
    axes.set(xlabel="weight w = p(x, z) / q(z)", ylabel="log w (nats)", ylim=(-2.85, -0.15))


def draw_chord(axes: Axes, row: pd.Series) -> None:
    """Both weights on the logarithm, and the means on the chord and on the curve."""
    weights, mean = weights_of(row), float(np.exp(row["log_p_nats"]))
    draw_curve(axes, weights.max())
    axes.plot(weights, np.log(weights), "o--", color=RED, linewidth=1.2)
    axes.plot([mean, mean], [row["elbo_nats"], row["log_p_nats"]], color=BLUE, linewidth=3)
    evidence, bound = number(row["log_p_nats"], 3), number(row["elbo_nats"], 3)
    notes = (
        (f"spam: w = {number(weights[0], 3)}", (weights[0], np.log(weights[0])), (0.16, -2.72)),
        (f"no spam:\nw = {number(weights[1], 3)}", (weights[1], np.log(weights[1])), (0.51, -1.45)),
        (f"log E[w]\n= log p(x)\n= {evidence}", (mean, row["log_p_nats"]), (0.065, -1.15)),
        (f"E[log w]\n= ELBO = {bound}", (mean, row["elbo_nats"]), (0.3, -2.4)),
        (f"the gap, {number(row['gap_nats'], 3)}", (mean, row["log_p_nats"] - 0.1), (0.3, -1.88)),
    )
    for text, point, place in notes:
        axes.annotate(text, point, place, arrowprops=LINE)
    axes.set_title(f"1. Mean of logs, log of the mean:\nq(spam) = {row['q_spam']:g}", weight="bold")


def draw_tangent(axes: Axes, row: pd.Series) -> None:
    """The tangent at the mean, which is above the logarithm at both weights."""
    weights, mean = weights_of(row), float(np.exp(row["log_p_nats"]))
    draw_curve(axes, weights.max())
    ends = np.array([0.06, 1.02 * weights.max()])
    axes.plot(ends, row["log_p_nats"] + (ends - mean) / mean, color=BLUE, linewidth=1.2)
    axes.plot(mean, row["log_p_nats"], "o", color=BLUE)
    axes.plot(weights, np.log(weights), "o", color=RED)
    for weight in weights:
        height = row["log_p_nats"] + (weight - mean) / mean
        axes.plot([weight, weight], [np.log(weight), height], ":", color=RED, linewidth=1.5)
    notes = (
        ("touches at the mean of w", (mean, row["log_p_nats"]), (0.22, -2.4)),
        ("log w,\nbelow it\nat every w", (weights[1], np.log(weights[1])), (0.48, -1.9)),
        ("tangent: its mean\nis log p(x)", (0.5, row["log_p_nats"] + 0.5 / mean - 1), (0.12, 0.6)),
    )
    for text, point, place in notes:
        axes.annotate(text, point, place, arrowprops=LINE)
    axes.set_ylim(top=1.9)
    axes.set_title("2. Why: the logarithm\nis below its tangent", weight="bold")


def draw_chords(axes: Axes, rows: Sequence[pd.Series]) -> None:
    """One chord for each q, which gets shorter and closer to the curve the better q is."""
    mean = float(np.exp(rows[0]["log_p_nats"]))
    draw_curve(axes, 0.72)
    places = ((0.5, -1.6), (0.25, -2.1), (0.065, -1.2))
    for row, (marker, name), place in zip(rows, MARKS, places, strict=True):
        weights = weights_of(row)
        axes.plot(weights, np.log(weights), f"{marker}--", color=RED, markersize=6, linewidth=1.2)
        text = f"{name}:\ngap {number(abs(row['gap_nats']), 4)}"
        axes.annotate(text, (weights[1], np.log(weights[1])), place, arrowprops=LINE)
    axes.axvline(mean, color=style.FAINT, linewidth=1, zorder=0)
    axes.set_title("3. Closer weights,\nsmaller gap", weight="bold")


def draw_elbos(axes: Axes, table: pd.DataFrame, rows: Sequence[pd.Series]) -> None:
    """ELBO against q(spam), with its gap to log p(x) filled."""
    evidence = table["log_p_nats"].iloc[0]
    axes.axhline(evidence, color=style.INK, linewidth=1.2)
    axes.text(0.01, evidence + 0.015, f"log p(x) = {number(evidence, 4)}", va="bottom")
    axes.plot(table["q_spam"], table["elbo_nats"], color=BLUE, linewidth=1.8)
    axes.fill_between(table["q_spam"], table["elbo_nats"], evidence, color=BLUE, alpha=0.13)
    places = ((0.74, -2.42), (0.35, -2.22), (0.71, -2.03))
    for row, (marker, name), place in zip(rows, MARKS, places, strict=True):
        at = row["q_spam"], row["elbo_nats"]
        axes.plot(*at, marker, color=RED, markersize=7, markeredgecolor="white", zorder=4)
        words = f"{name},\nq = {number(at[0], 3)}\ngap {number(abs(row['gap_nats']), 4)}"
        axes.annotate(words, at, place, ha="center", va="top", arrowprops=LINE)
    axes.set(xlim=(0, 1), ylim=(-2.85, -1.72), xlabel="q(spam)", ylabel="ELBO (nats)")
    axes.set_title("4. The ELBO of every q:\nthe gap is KL(q || p(z|x))", weight="bold")


def plot_jensen(table: pd.DataFrame) -> Figure:
    """Four panels: a bad q, why it bounds, better ones, and all of them."""
    style.apply()
    exact = table.iloc[int(table["gap_nats"].to_numpy().argmin())]
    rows = [row_at(table, BAD), row_at(table, KNOWS_NOTHING), exact]
    figure, panels = plt.subplots(2, 2, figsize=(style.WIDTH, 7.2))
    figure.set_layout_engine("constrained", hspace=0.06)
    draw_chord(panels[0, 0], rows[0])
    draw_tangent(panels[0, 1], rows[0])
    draw_chords(panels[1, 0], rows)
    draw_elbos(panels[1, 1], table, rows)
    return figure


def draw(inputs: Any) -> Figure:
    """The figure of the files that its rule names."""
    return plot_jensen(read_table(inputs.jensen, JENSEN))
