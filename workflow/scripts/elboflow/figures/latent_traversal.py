"""Draw what moving z along single dimensions does to the mean image."""

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
from elboflow.figures.walks import NO_LINES, read_walks


def plot_latent_traversal(
    walks: Mapping[str, Mapping[str, np.ndarray]], runs: Mapping[str, DataSet]
) -> Figure:
    """A sheet for each run, a row of it for each dimension."""
    chosen = shown(run for run in walks if "traversal" in walks[run])
    if not chosen.runs:
        return words_alone(NO_LINES)
    strips = []
    for run in chosen.runs:
        ways = walks[run]["traversal"]
        numbers = ", ".join(str(number + 1) for number in walks[run]["traversed"])
        label = f"{run}: dimensions {numbers}"
        strips.append(Strip(label, ways.reshape(-1, ways.shape[-1]), runs[run].shape))
    steps = walks[chosen.runs[0]]["traversal"].shape[1]
    return draw_strips(strips, steps, chosen.words)


def draw(inputs: Any) -> Figure:
    """The figure of the files that its rule names."""
    datasets = read_datasets(inputs.manifests)
    runs = datasets_of_runs(inputs.specifications, datasets)
    return plot_latent_traversal(read_walks(inputs.walks), runs)
