"""What evaluations saw on lines through the latent space."""

from collections.abc import Sequence
from pathlib import Path

import numpy as np

from elboflow.reading.archives import read_archive
from elboflow.reading.errors import InputError
from elboflow.reading.paths import run_and_seed

NO_LINES = "no model with a z that may be any real numbers"
# Axes of each array: see vae.measure.walks.
AXES = {"traversed": 1, "traversal": 3, "ends": 1, "interpolation": 2, "plane": 2}


def read_walks(paths: Sequence[str | Path]) -> dict[str, dict[str, np.ndarray]]:
    """The arrays of each run's walks.npz, by its name; none of a z that no line leads through.

    Raises:
        InputError: a file is damaged, or an array is none of numbers with the axes it should have.
    """
    return {run_and_seed(path)[0]: _read(path) for path in paths}


def _read(path: str | Path) -> dict[str, np.ndarray]:
    arrays = read_archive(path)
    for name, array in arrays.items():
        if array.ndim != AXES.get(name) or not array.size or array.dtype.kind not in "iuf":
            raise InputError(f"{path}: {name} is not what it should be; delete the file, run again")
    return arrays
