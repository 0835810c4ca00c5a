"""Draw what tells images that a model makes from test images."""

from typing import Any

import numpy as np
import pandas as pd
from matplotlib.axes import Axes
from matplotlib.figure import Figure
from matplotlib.lines import Line2D

from elboflow.figures import style
from elboflow.figures.panels import panel_names, panel_rows, words_alone
from elboflow.reading.columns import SETTINGS, SUMMARY
from elboflow.reading.csv_tables import read_table
from elboflow.reading.figure_tables import wide

# Kinds of images, their names, and whether their marks are filled with the run's colour.
MADE = {"sample": ("samples", True), "reconstruction": ("reconstructions", False)}
TRAINING = "training"
# What the corners of the plane of both halves mean: x, y, alignments, words.
CORNERS: list[tuple[float, float, Any, Any, str]] = [
    (0.98, 0.98, "right", "top", "apart"),
    (0.98, 0.02, "right", "bottom", "too spread\nor noisy"),
    (0.02, 0.98, "left", "top", "too alike\nor smooth"),
    (0.02, 0.02, "left", "bottom", "side\nby side"),
]
CERTAIN = float(np.log(2))


def measured(summary: pd.DataFrame) -> pd.DataFrame:
    """The rows of runs that were held against test images; those of few images were not."""
    runs = summary.loc[summary["quantity"] == f"{TRAINING}_jsd_bound", "run"]
    return summary[summary["run"].isin(runs)]


def has_quantity(mean: pd.Series, quantity: str) -> bool:
    """Whether a run has a quantity: a model without latents has no reconstructions."""
    return bool(pd.notna(mean.get(quantity)))


def mark(axes: Axes, x: Any, y: Any, **look: Any) -> None:
    """A mark with bars, of one standard error."""
    axes.errorbar(x, y, markersize=6, **style.BARS, **look)


def look_of(look: style.Look, filled: bool) -> dict[str, Any]:
    face = look.colour if filled else "white"
    return {"fmt": look.marker, "color": look.colour, "markerfacecolor": face}


def draw_corners(axes: Axes) -> None:
    """What the plane of both halves means; on the dotted line their mean is 0.5."""
    axes.plot([0, 1], [1, 0], ":", color=style.INK, linewidth=0.9, zorder=1)
    box = {"facecolor": "white", "edgecolor": "none", "pad": 1}
    for x, y, across, along, words in CORNERS:
        axes.text(x, y, words, ha=across, va=along, color=style.SOFT, bbox=box)
    axes.set(xlim=(-0.04, 1.04), ylim=(-0.04, 1.04), aspect="equal")
    axes.set_xlabel("share of real images\nwhose nearest is real")
    axes.set_ylabel("share of made images\nwhose nearest is made")


def draw_halves(
    axes: Axes, means: pd.DataFrame, errors: pd.DataFrame, looks: dict[str, style.Look]
) -> None:
    """Both halves of each run, and what equal kinds would have, with its standard deviation."""
    draw_corners(axes)
    null, sd = means[f"{TRAINING}_1nn_null"].mean(), errors[f"{TRAINING}_1nn_null"].max()
    axes.errorbar([null], [null], xerr=[sd], yerr=[sd], fmt="none", ecolor=style.INK, elinewidth=3)
    for run in means.index:
        mean, error = means.loc[run], errors.loc[run]
        for kind, (_, filled) in MADE.items():
            real, made = f"{kind}_1nn_real", f"{kind}_1nn_made"
            if not has_quantity(mean, real):
                continue
            look = look_of(looks[str(run)], filled)
            mark(axes, mean[real], mean[made], xerr=error[real], yerr=error[made], **look)


def draw_bounds(
    axes: Axes, means: pd.DataFrame, errors: pd.DataFrame, looks: dict[str, style.Look]
) -> None:
    """The lower bounds on the divergence, a row for each run; training images as a grey cross."""
    axes.axvline(0, color=style.INK, linewidth=0.9, zorder=1)
    for place, run in enumerate(means.index):
        drawn = {kind: look_of(looks[str(run)], filled) for kind, (_, filled) in MADE.items()}
        drawn[TRAINING] = {"fmt": "x", "color": style.GREY}
        for step, (kind, look) in zip((-0.2, 0, 0.2), drawn.items(), strict=True):
            bound = f"{kind}_jsd_bound"
            if not has_quantity(means.loc[run], bound):
                continue
            x, error = means.loc[run, bound], errors.loc[run, bound]
            mark(axes, x, place + step, xerr=error, **look)
    axes.set_yticks(range(len(means)), [style.label(str(run)) for run in means.index])
    axes.set_ylim(len(means) - 0.5, -0.5)
    axes.set_xlim(right=min(max(1.1 * axes.get_xlim()[1], 0.05), 1.05 * CERTAIN))
    axes.set_xlabel("Jensen-Shannon divergence, at least\n(nats; log 2 = 0.693: never mistaken)")


def draw_legend(figure: Figure) -> None:
    faces = {words: style.INK if filled else "white" for words, filled in MADE.values()}
    marks = [style.legend_mark("o", words, face) for words, face in faces.items()]
    marks.append(
        Line2D([], [], marker="x", color=style.GREY, linestyle="", label="training images")
    )
    marks.append(Line2D([], [], color=style.INK, linewidth=3, label="expected of equal kinds"))
    figure.legend(handles=marks, loc="outside lower center", ncols=4)


def plot_sample_quality(summary: pd.DataFrame, settings: pd.DataFrame) -> Figure:
    """Two panels for equal data; where nothing was measured a figure that says so."""
    style.apply()
    panels, rows = panel_names(settings), measured(summary)
    names = sorted({panels[run] for run in rows["run"]})
    if not names:
        return words_alone("not measured: too few test images")
    runs = rows.groupby(rows["run"].map(panels))["run"].nunique()
    height = max(3.9, 0.35 * runs.max() + 1.2)
    figure, axes = panel_rows(names, 2, width=style.WIDTH, height=height)
    looks = style.looks(panels)
    for name, (left, right) in zip(names, axes, strict=True):
        own = rows[rows["run"].map(panels) == name]
        means, errors = wide(own, ["run"], "mean"), wide(own, ["run"], "data_error")
        draw_halves(left, means, errors, looks)
        draw_bounds(right, means, errors, looks)
    draw_legend(figure)
    return figure


def draw(inputs: Any) -> Figure:
    """The figure of the files that its rule names."""
    return plot_sample_quality(
        summary=read_table(inputs.summary, SUMMARY),
        settings=read_table(inputs.settings, SETTINGS),
    )
