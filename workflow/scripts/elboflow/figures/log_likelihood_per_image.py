"""Draw log p(x) of each test image, and the images that a model explains worst and best."""

from collections.abc import Mapping
from typing import Any

import matplotlib.pyplot as plt
import numpy as np
from matplotlib.axes import Axes
from matplotlib.figure import Figure, SubFigure

from elboflow.figures import style
from elboflow.figures.image_strips import DataSet, datasets_of_runs, read_datasets
from elboflow.figures.panels import panel_names
from elboflow.figures.split_images import read_test_images
from elboflow.reading.columns import PER_IMAGE, SETTINGS
from elboflow.reading.csv_tables import read_table
from elboflow.reading.notation import number
from elboflow.reading.paths import run_and_seed
from elboflow.reading.settings import kinds

EXTREMES = 8  # images of either kind
WHISKERS = (5, 95)  # per cent of the images
ROW, BELOW = 0.3, 2.9  # inches: of a run, and of axis and images

Values = Mapping[str, np.ndarray]
"""log p(x) of each test image in nats, by run."""


def draw_boxes(axes: Axes, values: Values, looks: Mapping[str, style.Look]) -> list[str]:
    """A box for each run, the highest mean at the top; returns the runs in that order."""
    order = sorted(values, key=lambda run: (-values[run].mean(), run))
    for row, run in enumerate(reversed(order)):
        own, colour = values[run], looks[run].colour
        line = {"color": colour, "linewidth": 1}
        axes.boxplot(
            own,
            positions=[row],
            orientation="horizontal",
            whis=WHISKERS,
            showfliers=False,
            widths=0.5,
            boxprops=line,
            whiskerprops=line,
            capprops=line,
            medianprops=line,
        )
        axes.plot([own.min(), own.max()], [row, row], "|", color=colour, markersize=7)
        axes.plot(own.mean(), row, looks[run].marker, color=colour, markersize=5, **style.EDGE)
    axes.set_yticks(range(len(order)), [style.label(run) for run in reversed(order)])
    axes.set_xlabel("log p(x) of an image (nats)")
    return order


def draw_images(
    place: SubFigure, run: str, own: np.ndarray, images: np.ndarray, dataset: DataSet
) -> None:
    """The worst images of a run above, the best below, each over its log p(x)."""
    order = np.argsort(own, kind="stable")
    count = min(EXTREMES, len(own) // 2)
    levels = 1 if images.max() <= 1 else dataset.levels
    panels = place.subplots(2, count, squeeze=False)
    for row, chosen in zip(panels, (order[:count], order[::-1][:count]), strict=True):
        for axes, image in zip(row, chosen, strict=True):
            pixels = np.asarray(images[image]).reshape(dataset.shape) / levels
            axes.imshow(pixels, cmap="gray", vmin=0, vmax=1, interpolation="none")
            axes.set_axis_off()
            axes.set_title(number(own[image], 1), loc="center", fontsize=style.LETTERS)
    title = f"{style.label(run, 60)}: the worst {count} test images, and the best {count}"
    place.suptitle(title)


def plot_log_likelihood_per_image(
    values: Values,
    panels: Mapping[str, str],
    runs: Mapping[str, DataSet],
    images: Mapping[str, np.ndarray],
) -> Figure:
    """A panel for runs on equal data, with the images of the best of them below.

    Args:
        panels: the name of each run's panel.
        images: by panel, the test images as its models see them, shape (N, D).
    """
    style.apply()
    names, looks = sorted(set(panels.values())), style.looks(values)
    members = [{run: values[run] for run in values if panels[run] == name} for name in names]
    heights = [height for own in members for height in (ROW * len(own) + 0.9, BELOW - 0.9)]
    figure = plt.figure(figsize=(style.WIDTH, sum(heights)))
    places = figure.subfigures(len(heights), 1, height_ratios=heights, squeeze=False)[:, 0]
    for name, own, above, below in zip(names, members, places[::2], places[1::2], strict=True):
        axes = above.subplots()
        best = draw_boxes(axes, own, looks)[0]
        axes.set_title(f"{style.label(name)}, test images", weight="bold")
        draw_images(below, best, own[best], images[name], runs[best])
    return figure


def draw(inputs: Any) -> Figure:
    """The figure of the files that its rule names."""
    settings = read_table(inputs.settings, SETTINGS)
    panels, observed = panel_names(settings), kinds(settings)
    images = {}
    for run, (dataset, observes) in observed.items():
        name = "test_binary" if observes == "binary" else "test"
        images[panels[run]] = read_test_images(inputs.manifests, dataset, name)
    values = {
        run_and_seed(path)[0]: read_table(path, PER_IMAGE)["log_likelihood_nats"].to_numpy()
        for path in inputs.per_image
    }
    runs = datasets_of_runs(inputs.specifications, read_datasets(inputs.manifests))
    return plot_log_likelihood_per_image(values, panels, runs, images)
