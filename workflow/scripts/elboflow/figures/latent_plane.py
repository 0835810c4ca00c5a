"""Draw where the encoder puts the test images in a latent plane, by their labels."""

from collections.abc import Mapping
from typing import Any

import matplotlib.pyplot as plt
import numpy as np
from matplotlib.axes import Axes
from matplotlib.figure import Figure
from matplotlib.path import Path
from matplotlib.textpath import TextPath
from matplotlib.transforms import Affine2D

from elboflow.figures import style
from elboflow.figures.image_strips import DataSet, datasets_of_runs, read_datasets
from elboflow.figures.panels import shown, words_alone
from elboflow.figures.split_images import read_labels
from elboflow.figures.walks import read_walks

MOST_IMAGES = 1000  # of each run
NO_PLANE = "no run with a z of two real numbers"

Labels = tuple[np.ndarray, list[str]]
"""Numbers of the classes, shape (N,), and their names."""


def numeral(number: int) -> Path:
    """The digits of a number as a mark, centred: classes are told apart without colours."""
    path = TextPath((0, 0), str(number), size=10)
    box = path.get_extents()
    return path.transformed(Affine2D().translate(-(box.x0 + box.x1) / 2, -(box.y0 + box.y1) / 2))


def draw_labelled(axes: Axes, z: np.ndarray, labels: np.ndarray, names: list[str]) -> None:
    """Each image as the number of its class."""
    for number, name in enumerate(names):
        own = z[labels == number]
        colour = style.COLOURS[number % len(style.COLOURS)]
        look: dict[str, Any] = {"marker": numeral(number), "color": colour}
        words = str(number) if name == str(number) else f"{number}: {name}"
        axes.scatter(own[:, 0], own[:, 1], s=30, linewidths=0, label=words, **look)


def draw_plane(axes: Axes, z: np.ndarray, labels: Labels | None) -> None:
    """The first images; as dots where they have no labels."""
    z = z[:MOST_IMAGES]
    if labels is None:
        axes.scatter(z[:, 0], z[:, 1], s=6, color=style.COLOURS[0], linewidths=0)
    else:
        numbers, names = labels
        draw_labelled(axes, z, numbers[:MOST_IMAGES], names)
    axes.set_aspect("equal", adjustable="box")
    axes.set_xlabel("E[z|x], dimension 1")
    axes.set_ylabel("E[z|x], dimension 2")


def plot_latent_plane(
    walks: Mapping[str, Mapping[str, np.ndarray]],
    runs: Mapping[str, DataSet],
    labels: Mapping[str, Labels],
) -> Figure:
    """A panel for each run with a latent plane."""
    style.apply()
    chosen = shown(run for run in walks if "plane" in walks[run])
    if not chosen.runs:
        return words_alone(NO_PLANE)
    columns = min(2, len(chosen.runs))
    rows = -(-len(chosen.runs) // columns)
    size = (style.WIDTH, (4.2 if columns == 1 else 3) * rows)
    figure, panels = plt.subplots(rows, columns, figsize=size, squeeze=False)
    for axes in panels.flat[len(chosen.runs) :]:
        axes.remove()
    for run, axes in zip(chosen.runs, panels.flat, strict=False):
        draw_plane(axes, walks[run]["plane"], labels.get(runs[run].name))
        axes.set_title(style.label(run), weight="bold")
        if runs[run].name in labels:
            axes.legend(loc="upper left", bbox_to_anchor=(1, 1), title=runs[run].name)
    if chosen.words:
        figure.supxlabel(chosen.words)
    return figure


def draw(inputs: Any) -> Figure:
    """The figure of the files that its rule names."""
    runs = datasets_of_runs(inputs.specifications, read_datasets(inputs.manifests))
    return plot_latent_plane(read_walks(inputs.walks), runs, read_labels(inputs.labels))
