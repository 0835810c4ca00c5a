"""What of the environment is for ranks that add by torch.distributed: nothing is compiled."""

import argparse
from pathlib import Path
from typing import Any

from elboflow.environment import cuda
from elboflow.environment.interpreter import DISTRIBUTED, ask
from elboflow.environment.wheelhouse import SetupError

PINS: list[str] = []
MPI_PROGRAMS = ("mpirun",)
NEWEST_CUDA = "13"  # that of PyPI's torch


def check(arguments: argparse.Namespace) -> None:
    """Nothing can be missing."""


def choose_cuda(arguments: argparse.Namespace, python: Path) -> tuple[str, None]:
    """The kind of torch's build: for the CUDA of nvcc where there is one, which nothing needs."""
    if arguments.gpu == "none" or (arguments.gpu == "auto" and not cuda.gpu_seen()):
        return "cpu", None
    nvcc = cuda.find_nvcc()
    return nvcc.major if nvcc else NEWEST_CUDA, None


def finish(
    arguments: argparse.Namespace,
    python: Path,
    torch: dict[str, Any],
    mpi: str | None,
    nvcc: None,
) -> dict[str, Any]:
    """What build.json tells: on what this torch adds numbers, and by which libraries."""
    if arguments.gpu == "cuda" and torch["cuda"] is None:
        raise SetupError(
            f"environment.gpu is cuda, and torch {torch['torch']} is a CPU build: name another "
            "interpreter in site_python, or see PIP_FIND_LINKS and pip's log"
        )
    gpu = "cuda" if torch["cuda"] and arguments.gpu != "none" else "none"
    return {"gpu": gpu, **ask(python, DISTRIBUTED)}
