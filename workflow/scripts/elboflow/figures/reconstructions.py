"""Draw test images, the binary images that the model sees, and every run's reconstructions."""

from collections.abc import Mapping
from typing import Any

import numpy as np
from matplotlib.figure import Figure

from elboflow.figures.image_strips import DataSet, Strip, draw_strips, read_inputs

MOST_IMAGES = 12  # columns of the figure


def strips(images: Mapping[str, dict[str, np.ndarray]], runs: Mapping[str, DataSet]) -> list[Strip]:
    """Rows of the figure: for each data set what the models see, then one row per run."""
    rows = []
    for dataset in sorted(set(runs.values()), key=lambda dataset: dataset.name):
        members = [run for run in sorted(images) if runs[run] == dataset]
        # Runs may show different numbers of images: the originals are those of the longest row.
        grey = max((images[run]["grey"] for run in members), key=len) / dataset.levels
        binary = [images[run]["binary"] for run in members if "binary" in images[run]]
        if dataset.levels > 1 or not binary:
            rows.append(Strip(f"{dataset.name}: original", grey, dataset.shape))
        if binary:
            longest = max(binary, key=len)
            rows.append(Strip(f"{dataset.name}: binary input", longest, dataset.shape))
        rows += [
            Strip(run, images[run]["reconstruction"], dataset.shape)
            for run in members
            if "reconstruction" in images[run]  # a model without latents has none
        ]
    return rows


def plot_reconstructions(
    images: Mapping[str, dict[str, np.ndarray]], runs: Mapping[str, DataSet]
) -> Figure:
    """Rows of images: original, binary input, and each run's decoder means."""
    rows = strips(images, runs)
    columns = min(MOST_IMAGES, max(len(row.images) for row in rows))
    shown = [Strip(row.label, row.images[:columns], row.shape) for row in rows]
    return draw_strips(shown, columns)


def draw(inputs: Any) -> Figure:
    """The figure of the files that its rule names."""
    return plot_reconstructions(*read_inputs(inputs))
