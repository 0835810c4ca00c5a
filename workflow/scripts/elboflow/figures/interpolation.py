"""Draw the mean images on the line between what two test images are encoded as."""

from collections.abc import Mapping
from typing import Any

import numpy as np
from matplotlib.figure import Figure

from elboflow.figures.image_strips import (
    DataSet,
    Strip,
    datasets_of_runs,
    draw_strips,
    read_datasets,
)
from elboflow.figures.panels import shown, words_alone
from elboflow.figures.split_images import read_test_images
from elboflow.figures.walks import NO_LINES, read_walks


def plot_interpolation(
    walks: Mapping[str, Mapping[str, np.ndarray]],
    runs: Mapping[str, DataSet],
    images: Mapping[str, np.ndarray],
) -> Figure:
    """A strip for each run, between the two test images themselves.

    Args:
        images: grey levels of the test images of each data set, shape (N, D).
    """
    chosen = shown(run for run in walks if "interpolation" in walks[run])
    if not chosen.runs:
        return words_alone(NO_LINES)
    strips = []
    for run in chosen.runs:
        dataset, own = runs[run], walks[run]
        first, last = images[dataset.name][own["ends"]][:, None] / dataset.levels
        way = np.concatenate([first, own["interpolation"], last])
        strips.append(Strip(run, way, dataset.shape))
    return draw_strips(strips, len(strips[0].images), chosen.words)


def draw(inputs: Any) -> Figure:
    """The figure of the files that its rule names."""
    datasets = read_datasets(inputs.manifests)
    return plot_interpolation(
        read_walks(inputs.walks),
        datasets_of_runs(inputs.specifications, datasets),
        {name: read_test_images(inputs.manifests, name, "test") for name in datasets},
    )
