"""Draw what every run generates: decoder means at draws from the prior."""

from collections.abc import Mapping
from typing import Any

import numpy as np
from matplotlib.figure import Figure

from elboflow.figures.image_strips import DataSet, Strip, draw_strips, read_inputs
from elboflow.figures.panels import words_alone

ACROSS = 10


def plot_samples(
    images: Mapping[str, dict[str, np.ndarray]], runs: Mapping[str, DataSet]
) -> Figure:
    """One grid of samples for each run that has any, sorted by data set and name."""
    drawn = [run for run in images if "sample" in images[run]]
    if not drawn:
        return words_alone("no model that images can be drawn from")
    order = sorted(drawn, key=lambda run: (runs[run].name, run))
    rows = [Strip(run, images[run]["sample"], runs[run].shape) for run in order]
    return draw_strips(rows, min(ACROSS, max(len(row.images) for row in rows)))


def draw(inputs: Any) -> Figure:
    """The figure of the files that its rule names."""
    return plot_samples(*read_inputs(inputs))
