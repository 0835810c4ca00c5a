"""Draw histograms of log p(x): a run's own test images, and those of other data sets."""

from collections.abc import Mapping, Sequence
from pathlib import Path
from typing import Any

import matplotlib.pyplot as plt
import numpy as np
from matplotlib.axes import Axes
from matplotlib.figure import Figure

from elboflow.figures import style
from elboflow.figures.panels import ABREAST
from elboflow.reading.columns import PER_IMAGE, SCORES, SETTINGS, Columns
from elboflow.reading.csv_tables import read_table
from elboflow.reading.paths import run_and_seed, scored_dataset
from elboflow.reading.settings import setting

BINS = 60
OUTERMOST = 0.005  # share of all images that the axis leaves out at either end

Values = Mapping[str, np.ndarray]
"""log p(x) in nats by data set, of all seeds; a run's own data set first."""


def read_values(
    per_image: Sequence[str | Path], scores: Sequence[str | Path], datasets: Mapping[str, str]
) -> dict[str, Values]:
    """The values of each run, sorted.

    Args:
        datasets: that each run is trained on.
    """
    found: dict[str, dict[str, list[np.ndarray]]] = {}

    def add(run: str, dataset: str, path: str | Path, columns: Columns) -> None:
        values = read_table(path, columns)["log_likelihood_nats"].to_numpy()
        found.setdefault(run, {}).setdefault(dataset, []).append(values)

    for path in per_image:
        run, _ = run_and_seed(path)
        add(run, datasets[run], path, PER_IMAGE)
    for path in scores:
        (run, _), dataset = scored_dataset(path)
        add(run, dataset, path, SCORES)
    return {
        run: {dataset: np.concatenate(parts) for dataset, parts in found[run].items()}
        for run in sorted(found)
    }


def draw_panel(axes: Axes, values: Values, colours: Mapping[str, str]) -> None:
    """Shares of the images of each data set; the own ones filled, with their median as a line."""
    together = np.concatenate(list(values.values()))
    lowest, highest = np.quantile(together, [OUTERMOST, 1 - OUTERMOST])
    edges = np.histogram_bin_edges(together.clip(lowest, highest), BINS).tolist()
    for place, (dataset, numbers) in enumerate(values.items()):
        own = place == 0
        axes.hist(
            numbers.clip(lowest, highest),
            bins=edges,
            weights=np.full(len(numbers), 1 / len(numbers)),
            histtype="stepfilled" if own else "step",
            color=style.FAINT if own else colours[dataset],
            edgecolor=style.INK if own else colours[dataset],
            linewidth=0.8 if own else 1.3,
            label=style.label(f"{dataset} (its own)" if own else dataset),
        )
        if own:
            axes.axvline(np.median(numbers), color=style.INK, linewidth=0.9, linestyle=":")
    axes.set_xlabel("log p(x) (nats)")
    axes.legend(loc="upper left")


def plot_scores(values: Mapping[str, Values]) -> Figure:
    """One panel for each run."""
    style.apply()
    others = sorted({name for own in values.values() for name in list(own)[1:]})
    colours = {name: look.colour for name, look in style.looks(others).items()}
    columns = min(ABREAST, len(values))
    rows = -(-len(values) // columns)
    size = (style.WIDTH, 3.0 * rows)
    figure, panels = plt.subplots(rows, columns, figsize=size, squeeze=False)
    for axes in panels.flat[len(values) :]:
        axes.remove()
    for (run, own), axes in zip(values.items(), panels.flat, strict=False):
        draw_panel(axes, own, colours)
        axes.set_title(style.label(run), weight="bold")
    for axes in panels[:, 0]:
        axes.set_ylabel("share of images")
    return figure


def draw(inputs: Any) -> Figure:
    """The figure of the files that its rule names."""
    datasets = setting(read_table(inputs.settings, SETTINGS), "dataset")
    return plot_scores(read_values(inputs.per_image, inputs.scores, datasets))
