"""Arrays out of the .npz files that stages wrote."""

from pathlib import Path

import numpy as np
from numpy.lib.npyio import NpzFile

from elboflow.reading.errors import InputError


def read_archive(path: str | Path) -> dict[str, np.ndarray]:
    """All arrays of an archive.

    Raises:
        InputError: the file is damaged, or no archive of plain arrays.
    """
    try:
        with Path(path).open("rb") as file:
            archive = np.load(file, allow_pickle=False)
            if not isinstance(archive, NpzFile):
                raise InputError("a single array, not an archive")
            with archive:
                return dict(archive)
    # Damaged bytes make the parsers of zip and .npy raise exceptions of a dozen kinds.
    except Exception as error:
        reason = " ".join(str(error).strip("'").split()) or type(error).__name__
        raise InputError(f"{path}: {reason}; delete the file and run again") from None
