"""Strips of images with a label each, for the figures that show what a model makes."""

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from pathlib import Path
from zipfile import BadZipFile

import figure_style as style
import matplotlib.pyplot as plt
import numpy as np
from matplotlib.figure import Figure
from result_files import InputError, read_json

ARRAYS = ("grey", "binary", "reconstruction", "sample")
LABEL_WIDTH, SHEET_WIDTH, GAP = 1.9, 6.4, 0.12  # inches


@dataclass(frozen=True)
class DataSet:
    """What a manifest says about pixels: height and width of an image, and its largest level."""

    name: str
    shape: tuple[int, int]
    levels: int


@dataclass(frozen=True)
class Strip:
    """One row of a figure: images of shape (n, pixels), 0 (black) to 1 (white)."""

    label: str
    images: np.ndarray
    shape: tuple[int, int]


def read_images(path: str | Path) -> dict[str, np.ndarray]:
    """The arrays of an images.npz, each of shape (n, pixels).

    Raises:
        InputError: the file is cut off, or lacks an array.
    """
    try:
        with Path(path).open("rb") as file, np.load(file, allow_pickle=False) as archive:
            arrays = {name: archive[name] for name in ARRAYS}
    except (BadZipFile, EOFError, KeyError, OSError, ValueError) as error:
        reason = str(error).strip("'").splitlines()[0]
        raise InputError(f"{path}: {reason}; delete the file and run again") from None
    return arrays


def read_datasets(paths: Sequence[str | Path]) -> dict[str, DataSet]:
    """The data sets by name, from their manifests."""
    found = {}
    for path in paths:
        manifest = read_json(path, keys=("dataset", "image_shape", "levels"))
        height, width = manifest["image_shape"]
        name = manifest["dataset"]
        found[name] = DataSet(name, (height, width), manifest["levels"])
    return found


def read_runs(
    run_jsons: Sequence[str | Path], datasets: Mapping[str, DataSet]
) -> dict[str, DataSet]:
    """The data set of each run."""
    documents = {Path(path).parent.name: read_json(path, keys=("training",)) for path in run_jsons}
    return {run: datasets[text["training"]["dataset"]] for run, text in documents.items()}


def montage(images: np.ndarray, shape: tuple[int, int], columns: int) -> np.ndarray:
    """Images (n, pixels) side by side in rows of `columns`, with gutters of not-a-number."""
    height, width = shape
    gutter = max(1, round(height / 14))
    rows = -(-len(images) // columns)
    sheet = np.full(
        (rows * (height + gutter) - gutter, columns * (width + gutter) - gutter), np.nan
    )
    for place, image in enumerate(images):
        top, left = (place // columns) * (height + gutter), (place % columns) * (width + gutter)
        sheet[top : top + height, left : left + width] = image.reshape(shape)
    return sheet


def draw_strips(strips: Sequence[Strip], columns: int) -> Figure:
    """One montage per strip, its label to the left, all images of the same width."""
    style.apply()
    sheets = [montage(strip.images, strip.shape, columns) for strip in strips]
    heights = [SHEET_WIDTH * sheet.shape[0] / sheet.shape[1] for sheet in sheets]
    width, height = LABEL_WIDTH + SHEET_WIDTH, sum(heights) + GAP * (len(sheets) - 1)
    figure = plt.figure(figsize=(width, height), layout="none")
    paper = plt.get_cmap("gray").with_extremes(bad="white")
    top = height
    for strip, sheet, tall in zip(strips, sheets, heights, strict=True):
        box = (LABEL_WIDTH / width, (top - tall) / height, SHEET_WIDTH / width, tall / height)
        axes = figure.add_axes(box)
        axes.set_axis_off()
        # Unsampled, so that a viewer sees the pixels themselves.
        axes.imshow(sheet, cmap=paper, vmin=0, vmax=1, interpolation="none", aspect="auto")
        label = style.label(strip.label)
        axes.text(-0.015, 0.5, label, transform=axes.transAxes, ha="right", va="center")
        top -= tall + GAP
    return figure
