"""The MPI that starts the ranks: the system's, or PyPI's in the environment itself."""

import shutil
from collections.abc import Iterable
from pathlib import Path

from elboflow.environment.interpreter import first_line


def system_mpi(programs: Iterable[str]) -> str | None:
    """Folder of the system's mpirun, when all these programs of an MPI are on PATH."""
    found = [shutil.which(name) for name in programs]
    return str(Path(str(found[0])).resolve().parent) if all(found) else None


def mpi_version(python: Path, mpi: str | None) -> str:
    """What mpirun says of itself: the system's, or that beside the environment's interpreter."""
    launcher = shutil.which("mpirun") if mpi else python.parent / "mpirun"
    return first_line([str(launcher), "--version"])
