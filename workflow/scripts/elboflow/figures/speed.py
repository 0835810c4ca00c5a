"""Draw how many images a second trainings take while they go on."""

from collections.abc import Sequence
from itertools import pairwise
from typing import Any

import matplotlib.pyplot as plt
from matplotlib.figure import Figure

from elboflow.figures import style
from elboflow.figures.panels import shown, words_alone
from elboflow.reading.speeds import TRAINING_SPEED, read_speeds


def rates(over_time: Sequence[Sequence[float]]) -> tuple[list[float], list[float]]:
    """Seconds at the middle between two points, and images/s between them."""
    steps = list(pairwise(over_time))
    middles = [(a + b) / 2 for (a, _), (b, _) in steps]
    return middles, [(m - n) / (b - a) for (a, n), (b, m) in steps]


def plot_speed(speeds: Sequence[dict[str, Any]]) -> Figure:
    """Images/s against seconds in training, a line for each seed."""
    style.apply()
    trained = [speed for speed in speeds if len(speed["over_time"]) > 1]
    if not trained:
        return words_alone("nothing was trained for long enough")
    runs = shown({speed["run"] for speed in trained})
    looks = style.looks(speed["run"] for speed in trained)
    figure, axes = plt.subplots(figsize=(style.WIDTH, 3.4))
    for speed in trained:
        if speed["run"] in runs.runs:
            colour = looks[speed["run"]].colour
            axes.plot(*rates(speed["over_time"]), color=colour, linewidth=1)
    for run in runs.runs:
        axes.plot([], [], color=looks[run].colour, label=style.label(run))
    axes.set(xlabel="seconds in training steps", ylabel="images/s")
    axes.set_ylim(bottom=0)
    axes.yaxis.set_major_formatter("{x:,.0f}")
    axes.set_title(runs.words)
    figure.legend(loc="outside right upper")
    return figure


def draw(inputs: Any) -> Figure:
    """The figure of the files that its rule names."""
    return plot_speed(read_speeds(inputs.train, TRAINING_SPEED))
