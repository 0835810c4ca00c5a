"""Draw precision against recall, and reliability, of two classifiers."""

from typing import Any

import matplotlib.pyplot as plt
import pandas as pd
from matplotlib.axes import Axes
from matplotlib.figure import Figure

from elboflow.chapter.tables import CLASSIFIERS, CURVES, RELIABILITY
from elboflow.figures import style
from elboflow.reading.csv_tables import read_table

AT_LEAST = "\N{GREATER-THAN OR EQUAL TO}"
MODEL_LOOKS = {
    "discriminative": (style.COLOURS[0], "o", "-"),
    "generative": (style.COLOURS[1], "s", "--"),
}


def draw_curves(axes: Axes, curves: pd.DataFrame, marked: pd.DataFrame) -> None:
    """The curves of both models on one data set; filled at threshold 0.5, open at 0.9.

    The legend has two columns, one for each model, the first with the base rate below.
    """
    base = marked["positives"].iloc[0] / marked["test"].iloc[0]
    for model, (colour, marker, line) in MODEL_LOOKS.items():
        own, rows = curves[curves["model"] == model], marked[marked["model"] == model]
        steps: dict[str, Any] = {"drawstyle": "steps-post", "color": colour, "linewidth": 1.5}
        axes.plot(own["recall"], own["precision"], line, label=model, **steps)
        for _, row in rows.iterrows():
            low = row["threshold"] < 0.7
            size, face = (7, colour) if low else (12, "none")
            words = f"{model}, positive if p(y|x) {AT_LEAST} {row['threshold']:g}"
            look: dict[str, Any] = {"markersize": size, "color": face, "markeredgecolor": colour}
            at = row["recall"], row["precision"]
            axes.plot(
                *at, marker, markeredgewidth=1.5, zorder=4, clip_on=False, label=words, **look
            )
        if model == "discriminative":
            axes.axhline(
                base,
                color=style.GREY,
                linewidth=0.9,
                linestyle=":",
                label="all are called positive",
            )
    axes.set(xlim=(0, 1.03), ylim=(0, 1.03), xlabel="recall: found of all that are positive")
    axes.set_ylabel("precision: positive of all that are found")


def draw_reliability(axes: Axes, bins: pd.DataFrame) -> None:
    """The share of positives where a model says p(y|x), with its interval."""
    axes.plot([0, 1], [0, 1], color=style.GREY, linewidth=0.9)
    for model, (colour, marker, _) in MODEL_LOOKS.items():
        own = bins[bins["model"] == model]
        x, ends = own["mean_p"], (own["share_low"], own["share_high"])
        axes.vlines(x, *ends, color=colour, linewidth=1.2)
        axes.plot(x, own["share"], marker, color=colour, markersize=5, clip_on=False, zorder=4)
    axes.set(xlim=(-0.03, 1.03), ylim=(-0.03, 1.03), xlabel="p(y|x), the mean of a bin")
    axes.set_ylabel("share that is positive")


def plot_classifiers(
    curves: pd.DataFrame, classifiers: pd.DataFrame, reliability: pd.DataFrame
) -> Figure:
    """One data set per column: precision and recall above, reliability below."""
    style.apply()
    names = sorted(classifiers["data"].unique(), key=str.lower)
    figure, panels = plt.subplots(2, len(names), figsize=(style.WIDTH, 7.4), squeeze=False)
    for name, (upper, lower) in zip(names, panels.T, strict=True):
        draw_curves(upper, curves[curves["data"] == name], classifiers[classifiers["data"] == name])
        draw_reliability(lower, reliability[reliability["data"] == name])
        upper.set_title(name, weight="bold")
    handles, labels = panels[0][0].get_legend_handles_labels()
    if len(names) == 1:
        figure.legend(handles, labels, loc="outside right center")
    else:
        figure.legend(handles, labels, loc="outside lower center", ncols=2)
    return figure


def draw(inputs: Any) -> Figure:
    """The figure of the files that its rule names."""
    return plot_classifiers(
        curves=read_table(inputs.curves, CURVES),
        classifiers=read_table(inputs.classifiers, CLASSIFIERS),
        reliability=read_table(inputs.reliability, RELIABILITY),
    )
