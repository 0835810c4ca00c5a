"""Draw how training scales over ranks, and where the time of a step goes."""

from typing import Any

import matplotlib.pyplot as plt
import pandas as pd
from matplotlib.axes import Axes
from matplotlib.figure import Figure

from elboflow.figures import style
from elboflow.reading.csv_tables import read_table
from elboflow.reading.scaling import PARTS, SCALING

NAMES = {"weak": "weak: images per rank constant", "strong": "strong: batch constant"}


def draw_lines(axes: Axes, table: pd.DataFrame, column: str) -> None:
    """A column against ranks: filled measured, hollow oversubscribed, dashes modelled."""
    looks = style.looks(NAMES)
    for kind, words in NAMES.items():
        rows, look = table[table["kind"] == kind].sort_values("ranks"), looks[kind]
        seen, model = rows[rows["source"] != "model"], rows[rows["source"] == "model"]
        axes.plot(seen["ranks"], seen[column], color=look.colour, linewidth=1)
        for source, face in (("measured", look.colour), ("oversubscribed", "white")):
            chosen = seen[seen["source"] == source]
            axes.plot(
                *(chosen["ranks"], chosen[column], look.marker),
                color=look.colour,
                markerfacecolor=face,
            )
        if len(model):
            joined = pd.concat([seen[-1:], model])
            axes.plot(joined["ranks"], joined[column], **_of_model(look.colour))
        axes.plot([], [], look.marker, color=look.colour, label=words)
    axes.set_xscale("log", base=2)
    ranks = sorted(table["ranks"].unique())
    axes.set_xticks(ranks, list(map(str, ranks)), rotation=45)
    axes.minorticks_off()
    axes.set_xlabel("ranks")


def _of_model(colour: str) -> dict[str, Any]:
    return {"linestyle": "--", "linewidth": 1, "color": colour, "marker": "_"}


def draw_speed(axes: Axes, table: pd.DataFrame) -> None:
    """Images/s, and what it would be if every rank were as fast as one among the fewest."""
    draw_lines(axes, table, "images_per_second")
    ideal = table.sort_values("ranks").drop_duplicates("ranks")
    first = ideal["images_per_second"].iloc[0] / ideal["ranks"].iloc[0]
    axes.plot(ideal["ranks"], first * ideal["ranks"], ":", color=style.INK, linewidth=0.9)
    axes.set_yscale("log")
    axes.yaxis.set_major_formatter("{x:,.0f}")
    axes.set_ylabel("images/s")


def draw_parts(axes: Axes, rows: pd.DataFrame) -> None:
    """A step of one kind of scaling, stacked from its parts."""
    bottom = pd.Series(0.0, index=rows.index)
    places = range(len(rows))
    for part, colour in zip(PARTS[1:], style.COLOURS, strict=False):
        height = rows[f"{part}_ms"]
        axes.bar(places, height, bottom=bottom, color=colour, width=0.7, label=part)
        bottom += height
    axes.plot(places, rows["step_ms"], "_", color=style.INK, markersize=12, label="step, as it is")
    words = {"measured": "", "oversubscribed": ", shared", "model": ", model"}
    names = [f"{row.ranks}{words[str(row.source)]}" for row in rows.itertuples()]
    axes.set_xticks(places, names, rotation=45, ha="right", rotation_mode="anchor")
    axes.set_xlabel("ranks")
    axes.set_ylabel("milliseconds a step")
    axes.grid(visible=False, axis="x")


def plot_scaling(table: pd.DataFrame) -> Figure:
    """Speed and efficiency above, the parts of a step below."""
    style.apply()
    figure, ((speed, efficiency), parts) = plt.subplots(2, 2, figsize=(style.WIDTH, 6.4))
    draw_speed(speed, table)
    draw_lines(efficiency, table, "efficiency")
    efficiency.axhline(1, color=style.INK, linewidth=0.9, linestyle=":")
    efficiency.set_ylim(bottom=0)
    efficiency.set_ylabel("efficiency")
    speed.legend(loc="upper left")
    for axes, (kind, words) in zip(parts, NAMES.items(), strict=True):
        draw_parts(axes, table[table["kind"] == kind].sort_values("ranks"))
        axes.set_title(words, weight="bold")
    parts[1].legend(loc="upper right")
    return figure


def draw(inputs: Any) -> Figure:
    """The figure of the files that its rule names."""
    return plot_scaling(read_table(inputs.scaling, SCALING))
