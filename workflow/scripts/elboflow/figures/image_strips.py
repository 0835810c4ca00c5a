"""Strips of images with a label each, for the figures that show what a model makes."""

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import matplotlib.pyplot as plt
import numpy as np
from matplotlib.figure import Figure

from elboflow.figures import style
from elboflow.reading.archives import read_archive
from elboflow.reading.errors import InputError
from elboflow.reading.json_files import read_manifest_json, read_run_json
from elboflow.reading.paths import run_and_seed

LABEL_WIDTH, GAP, LEAST_HEIGHT = 1.9, 0.12, 0.3  # inches
FOOT = 0.3  # inches, for words below all
TALLEST = 9.8  # inches, of what stands on one printed page
SHEET_WIDTH = style.WIDTH - LABEL_WIDTH


@dataclass(frozen=True)
class DataSet:
    """What a manifest says about pixels: the shape of an image, and its largest level.

    A shape is height and width, and 3 where there are colours.
    """

    name: str
    shape: tuple[int, ...]
    levels: int


@dataclass(frozen=True)
class Strip:
    """One row of a figure: images of shape (n, pixels), 0 (black) to 1 (white)."""

    label: str
    images: np.ndarray
    shape: tuple[int, ...]


def read_images(path: str | Path) -> dict[str, np.ndarray]:
    """The arrays of an images.npz, each of shape (n, pixels).

    Raises:
        InputError: the file is damaged, lacks an array, or has one of another shape or kind.
    """
    arrays = read_archive(path)
    if "grey" not in arrays:
        raise InputError(f"{path}: there is no array grey; delete the file and run again")
    for name, array in arrays.items():
        if array.ndim != 2 or not array.size or array.dtype.kind not in "buif":
            raise InputError(f"{path}: {name} is no array of images; delete the file and run again")
    return arrays


def images_of_runs(paths: Sequence[str | Path]) -> dict[str, dict[str, np.ndarray]]:
    """The arrays of each run's images.npz, by its name."""
    return {run_and_seed(path)[0]: read_images(path) for path in paths}


def read_datasets(paths: Sequence[str | Path]) -> dict[str, DataSet]:
    """The data sets by name, from their manifests."""
    found = {}
    for path in paths:
        manifest = read_manifest_json(path)
        name = manifest["dataset"]
        found[name] = DataSet(name, tuple(manifest["image_shape"]), manifest["levels"])
    return found


def datasets_of_runs(
    run_jsons: Sequence[str | Path], datasets: Mapping[str, DataSet]
) -> dict[str, DataSet]:
    """The data set of each run."""
    found = {}
    for path in run_jsons:
        name = read_run_json(path)["training"]["dataset"]
        if name not in datasets:
            raise InputError(f"{path}: there is no manifest of data set {name!r}; run fetch_data")
        found[Path(path).parent.name] = datasets[name]
    return found


def read_inputs(inputs: Any) -> tuple[dict[str, dict[str, np.ndarray]], dict[str, DataSet]]:
    """Each run's images, of one seed, and its data set, from the files that a rule names."""
    datasets = read_datasets(inputs.manifests)
    return images_of_runs(inputs.images), datasets_of_runs(inputs.specifications, datasets)


def montage(images: np.ndarray, shape: tuple[int, ...], columns: int) -> np.ndarray:
    """Images (n, pixels) side by side in rows of `columns`, with gutters of not-a-number.

    The sheet has the axes of an image: height and width, and the colours if there are any.
    """
    height, width, *colours = shape
    gutter = max(1, round(height / 14))
    rows = -(-len(images) // columns)
    size = (rows * (height + gutter) - gutter, columns * (width + gutter) - gutter)
    sheet = np.full((*size, *colours), np.nan)
    for place, image in enumerate(images):
        top, left = (place // columns) * (height + gutter), (place % columns) * (width + gutter)
        sheet[top : top + height, left : left + width] = image.reshape(shape)
    return sheet


def draw_strips(strips: Sequence[Strip], columns: int, foot: str = "") -> Figure:
    """One montage per strip, its label to the left, all images of the same width; words below.

    Strips that no page has room for are left out, which the words say.
    """
    style.apply()
    sheets = [montage(strip.images, strip.shape, columns) for strip in strips]
    # Images of one row, as those of no square number of pixels, are drawn high enough to be seen.
    heights = [max(SHEET_WIDTH * sheet.shape[0] / sheet.shape[1], LEAST_HEIGHT) for sheet in sheets]
    ends = np.cumsum(np.add(heights, GAP)) - GAP
    fitting = max(1, int(np.sum(ends <= TALLEST)))
    if fitting < len(strips):
        rows = f"{fitting} of {len(strips)} rows"
        foot = f"{foot}; {rows}" if foot else f"{rows}, the first by name"
    strips, sheets, heights = strips[:fitting], sheets[:fitting], heights[:fitting]
    width, height = LABEL_WIDTH + SHEET_WIDTH, sum(heights) + GAP * (fitting - 1)
    height += FOOT if foot else 0
    figure = plt.figure(figsize=(width, height), layout="none")
    paper = plt.get_cmap("gray").with_extremes(bad=(0, 0, 0, 0))
    top = height
    for strip, sheet, tall in zip(strips, sheets, heights, strict=True):
        box = (LABEL_WIDTH / width, (top - tall) / height, SHEET_WIDTH / width, tall / height)
        axes = figure.add_axes(box)
        axes.set_axis_off()
        # Unsampled, so that a viewer sees the pixels themselves.
        shown = np.nan_to_num(sheet, nan=1.0) if sheet.ndim > 2 else sheet  # no map for colours
        axes.imshow(shown, cmap=paper, vmin=0, vmax=1, interpolation="none", aspect="auto")
        label = style.label(strip.label)
        axes.text(-0.015, 0.5, label, transform=axes.transAxes, ha="right", va="center")
        top -= tall + GAP
    figure.text(LABEL_WIDTH / width, 0, foot, va="bottom")
    return figure
