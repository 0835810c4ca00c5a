"""What of the environment is for ranks that add by Horovod: its compilers, its NCCL, its wheel."""

import argparse
import os
import shutil
from pathlib import Path
from typing import Any

from elboflow.environment.cuda import CudaBuild, Nvcc, choose_nvcc, cuda_build, readable_version
from elboflow.environment.horovod import cache_key, horovod_wheel, user_settings
from elboflow.environment.interpreter import ABI, HOROVOD, TORCH, ask, first_line
from elboflow.environment.mpi import mpi_version
from elboflow.environment.wheelhouse import (
    SetupError,
    check_archive,
    pin_file,
    pip,
    read_pin,
    without_room,
)

PINS = ["horovod_tools.txt"]
MPI_PROGRAMS = ("mpirun", "mpicxx")


def check(arguments: argparse.Namespace) -> None:
    """Raise SetupError for what is missing, before minutes of work."""
    pin = read_pin(pin_file(arguments.pins, "horovod.txt"))
    if arguments.horovod_sdist:
        check_archive(arguments.horovod_sdist, pin)
    compiler()


def compiler() -> tuple[str, str]:
    """Path and version of the C++ compiler: g++, or what CXX names."""
    words = os.environ.get("CXX", "g++").split()
    version = first_line([*words, "--version"])
    if not version:
        raise SetupError(
            f"no C++ compiler '{' '.join(words)}': install g++, or name one in CXX; or let torch, "
            "which needs none, add: environment.collectives"
        )
    return shutil.which(words[-1]) or words[-1], version


def choose_cuda(arguments: argparse.Namespace, python: Path) -> tuple[str, Nvcc | None]:
    """The kind of torch's build, and the compiler to build Horovod for GPUs with."""
    pinned = arguments.torch == "pinned"
    nvcc = choose_nvcc(arguments.gpu, pinned or ask(python, TORCH)["cuda"] is not None)
    variables = user_settings().items()
    asked = [name for name, value in variables if value and name.startswith("HOROVOD_GPU")]
    if asked and not nvcc:
        raise SetupError(
            f"{asked[0]} asks for a build for GPUs, and environment.gpu ({arguments.gpu}) came out "
            "as none: set it to cuda, or unset the variable"
        )
    return nvcc.major if nvcc else "cpu", nvcc


def add_horovod(
    arguments: argparse.Namespace, python: Path, facts: dict[str, Any], cuda: CudaBuild | None
) -> None:
    """Install Horovod, from the cache or built now."""
    pin = pin_file(arguments.pins, "horovod.txt")
    wheel = horovod_wheel(arguments.horovod_sdist, pin, arguments.venv, facts, cuda, arguments.log)
    command = ["install", "--no-index", "--no-deps", str(wheel)]
    status, lines = pip(python, command, arguments.log)
    if status:
        reason = without_room(lines) or lines[-1]
        raise SetupError(f"Horovod did not install: {reason} (log: {arguments.log})")


def find_facts(
    python: Path, torch: dict[str, Any], cuda: CudaBuild | None, mpi: str | None
) -> dict[str, Any]:
    """All that a build of Horovod depends on and that this machine decides.

    Args:
        mpi: folder of the system's MPI, where there is one.
    """
    path, version = compiler()
    return {
        **ask(python, ABI),
        "torch": torch["torch"],
        "cuda": torch["cuda"],
        "gpu": "cuda" if cuda else "none",
        "nvcc": cuda.nvcc.version if cuda else None,
        "nccl": cuda.nccl.version if cuda else None,
        "nccl_source": cuda.nccl.source if cuda else None,
        "nccl_folder": cuda.site_nccl if cuda else None,
        "cuda_architectures": cuda.architectures if cuda else [],
        "mpi": mpi_version(python, mpi),
        "mpi_folder": mpi,
        "own_mpi": mpi is None,
        "compiler": version,
        "compiler_path": path,
    }


def check_nccl(facts: dict[str, Any], horovod: dict[str, Any]) -> dict[str, Any]:
    """The NCCL that Horovod was built with and the one that it loads, for build.json.

    Raises:
        SetupError: a build for GPUs without NCCL, or two NCCL in one process.
    """
    codes = {name: horovod.pop(f"{name}_code") for name in ("nccl", "nccl_loaded")}
    files = horovod.pop("nccl_files")
    if not codes["nccl"]:
        if facts["gpu"] == "cuda":
            raise SetupError("Horovod was built without NCCL: unset HOROVOD_GPU_OPERATIONS")
        return dict.fromkeys(codes)  # a torch for CUDA has loaded its own all the same
    if len(files) > 1:
        raise SetupError(
            f"torch and Horovod load an NCCL each, {' and '.join(files)}: unset NCCL_HOME"
        )
    return {name: readable_version(code) for name, code in codes.items()}


def finish(
    arguments: argparse.Namespace,
    python: Path,
    torch: dict[str, Any],
    mpi: str | None,
    nvcc: Nvcc | None,
) -> dict[str, Any]:
    """Install Horovod; what of it build.json tells, in which no path of this machine is."""
    cuda = cuda_build(torch, nvcc, arguments.cuda_architectures) if nvcc else None
    facts = find_facts(python, torch, cuda, mpi)
    add_horovod(arguments, python, facts, cuda)
    told = ["gpu", "nvcc", "nccl_source", "cuda_architectures", "compiler"]
    horovod = ask(python, HOROVOD)
    return {
        **{name: facts[name] for name in told},
        **check_nccl(facts, horovod),
        **horovod,
        "cache_key": cache_key(read_pin(pin_file(arguments.pins, "horovod.txt")), facts),
    }
