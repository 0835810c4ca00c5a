"""Draw what every run generates: decoder means at draws from the prior."""

from collections.abc import Mapping
from typing import Any

import figure_style as style
import numpy as np
from image_strips import DataSet, Strip, draw_strips, read_datasets, read_images, read_runs
from matplotlib.figure import Figure
from result_files import in_one_line, run_and_seed

snakemake: Any  # Snakemake puts it into scripts of `script:`

COLUMNS = 10


def plot_samples(
    images: Mapping[str, dict[str, np.ndarray]], runs: Mapping[str, DataSet]
) -> Figure:
    """One grid of samples per run, runs sorted by data set and name."""
    order = sorted(images, key=lambda run: (runs[run].name, run))
    rows = [Strip(run, images[run]["sample"], runs[run].shape) for run in order]
    return draw_strips(rows, min(COLUMNS, max(len(row.images) for row in rows)))


if __name__ == "__main__":
    with in_one_line():
        figure = plot_samples(
            images={run_and_seed(path)[0]: read_images(path) for path in snakemake.input.images},
            runs=read_runs(snakemake.input.runs, read_datasets(snakemake.input.manifests)),
        )
        style.save(figure, snakemake.output.figure)
