"""A training environment in an image of Apptainer or Singularity: its interpreter here is a script.

The host's mpirun starts the ranks, each in a container of its own.
"""

import argparse
import shlex
import shutil
from collections.abc import Sequence
from pathlib import Path
from typing import Any

from elboflow.environment.interpreter import PACKAGES, ask, first_line
from elboflow.environment.mpi import mpi_version, system_mpi
from elboflow.environment.wheelhouse import SetupError, pin_file

PROGRAMS = ("apptainer", "singularity")
CODE = Path(__file__).resolve().parents[4]  # the clone
INTERPRETER = "/opt/elboflow/venv/bin/python"  # in an image of workflow/envs/elboflow.def
TOLD = """
import pathlib, sys
print((pathlib.Path(sys.prefix).parent / "build.json").read_text())
"""
SCRIPT = """\
#!/bin/sh
# The interpreter of the training environment, which lies in an image; there it is started as well.
[ -x {interpreter} ] && exec {interpreter} "$@"
gpu=
[ -e /dev/nvidiactl ] && gpu=--nv
exec {program} exec $gpu {binds} --bind "$PWD" ${{TMPDIR:+--bind "$TMPDIR"}} --pwd "$PWD" \\
    {image} {interpreter} "$@"
"""


def find_program() -> str | None:
    """Path of what runs an image, if it is on PATH."""
    return next((found for name in PROGRAMS if (found := shutil.which(name))), None)


def enter(image: Path, venv: Path) -> Path:
    """Make an environment that is the image's; its interpreter.

    Raises:
        SetupError: there is no image, or nothing to run it with.
    """
    program = find_program()
    if not program:
        raise SetupError(
            "environment.container needs apptainer or singularity on PATH: load the site's module "
            "(in a job: in the profile's prelude.sh)"
        )
    if not image.exists():
        raise SetupError(
            f"environment.container: there is no {image}: `apptainer build {image} "
            "workflow/envs/elboflow.def` makes it"
        )
    python = venv.absolute() / "bin" / "python"
    shutil.rmtree(venv, ignore_errors=True)
    python.parent.mkdir(parents=True)
    results = venv.resolve().parents[1]
    text = SCRIPT.format(
        program=shlex.quote(program),
        binds=" ".join(f"--bind {shlex.quote(str(path))}" for path in (CODE, results)),
        image=shlex.quote(str(image.absolute())),
        interpreter=INTERPRETER,
    )
    python.write_text(text)
    python.chmod(0o755)
    return python


def describe(arguments: argparse.Namespace, python: Path, pins: Sequence[str]) -> dict[str, Any]:
    """What build.json tells of the image, and of the host's MPI.

    Args:
        pins: names of the requirement files that hold for it.

    Raises:
        SetupError: it is another than the configuration wants, or the host has no MPI.
    """
    build = told(python)
    for name in ("collectives", "gpu"):
        wanted = getattr(arguments, name)
        if wanted != "auto" and wanted != build[name]:
            raise SetupError(
                f"environment.{name} is {wanted}, and the image was built for {build[name]}: "
                "build another (workflow/envs/elboflow.def says how), or change the key"
            )
    if others := sorted(pinned(arguments.pins, pins) - installed(python)):
        raise SetupError(
            f"the image lacks what is pinned ({', '.join(others[:3])}): build it anew from "
            "workflow/envs/elboflow.def"
        )
    mpi = system_mpi(["mpirun"])
    if not mpi:
        raise SetupError("no mpirun on PATH: the host's starts the ranks of environment.container")
    return {
        **build,
        "mpi": mpi_version(python, mpi),
        "mpi_source": "system",
        "mpi_in_image": build["mpi"],
        "container": first_line([find_program() or "", "--version"]),
    }


def told(python: Path) -> dict[str, Any]:
    """What the image was built as."""
    try:
        build = ask(python, TOLD)
    except ValueError:
        build = None
    if not isinstance(build, dict) or not {"collectives", "gpu", "mpi"} <= set(build):
        raise SetupError(
            "the image of environment.container tells nothing of itself: build it from "
            "workflow/envs/elboflow.def"
        )
    return build


def installed(python: Path) -> set[str]:
    return {plain(package) for package in ask(python, PACKAGES)}


def pinned(files: list[Path], names: Sequence[str]) -> set[str]:
    lines = [line for name in names for line in pin_file(files, name).read_text().splitlines()]
    return {plain(line.partition(" ")[0]) for line in lines if "==" in line and line[0] != "#"}


def plain(package: str) -> str:
    """name==version, whatever the name's spelling and the kind of build."""
    name, _, version = package.partition("==")
    return f"{name.lower().replace('_', '-')}=={version.partition('+')[0]}"
