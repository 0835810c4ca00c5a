"""Fetch packages once into the user's cache, so that later installs need no network."""

import hashlib
import json
import os
import re
import shlex
import shutil
import signal
import subprocess
import sys
import tempfile
from collections.abc import Callable, Mapping
from dataclasses import dataclass
from pathlib import Path
from typing import Any

from elboflow.files.whole import naming

# PyPI's torch for Linux brings several GB of CUDA 13; other builds are only here.
INDEX = "https://download.pytorch.org/whl"
# Kind of build (cpu, or CUDA's major version): its folder there, which is its local version too.
BUILDS = {"cpu": "cpu", "12": "cu126", "13": ""}
# An index that cannot be reached costs half a minute at most.
BRIEFLY = ["--retries", "1", "--timeout", "15"]
UNREACHABLE = re.compile(
    r"Failed to establish a new connection|name resolution|Network is unreachable"
    r"|Connection refused|ConnectTimeout|Read timed out|ProxyError|SSLError"
)
NO_ROOM = re.compile(r"No space left on device|Disk quota exceeded")


class SetupError(RuntimeError):
    """What keeps the environment from being built, in words for the user."""


def cache_folder() -> Path:
    """The folder that every checkout of this user shares; XDG_CACHE_HOME moves it."""
    root = os.environ.get("XDG_CACHE_HOME") or Path.home() / ".cache"
    return Path(root) / "elboflow"


def digest_of_facts(facts: Mapping[str, Any]) -> str:
    """A short name for a set of facts: any changed fact changes it."""
    return hashlib.sha256(json.dumps(facts, sort_keys=True).encode()).hexdigest()[:16]


def settled(folder: Path, fill: Callable[[Path], None]) -> Path:
    """The folder, filled once: written aside and renamed, so that what exists is complete.

    Of two processes that fill it at the same time, the first to finish wins.
    """
    if folder.is_dir():
        return folder
    folder.parent.mkdir(parents=True, exist_ok=True)
    aside = Path(tempfile.mkdtemp(prefix=f".{folder.name}.", dir=folder.parent))
    try:
        fill(aside)
        aside.chmod(0o755)
        aside.rename(folder)
    except OSError:
        if not folder.is_dir():
            raise
    finally:
        shutil.rmtree(aside, ignore_errors=True)
    return folder


def run(
    command: list[str], log: Path, env: Mapping[str, str] | None = None, cwd: Path | None = None
) -> tuple[int, list[str]]:
    """Run a command, append its output to the log; the exit status and the lines."""
    lines = []
    with naming(log), log.open("a") as record:
        record.write(f"$ {shlex.join(command)}\n")
        record.flush()
        process = subprocess.Popen(
            command,
            env=env,
            cwd=cwd,
            stdout=subprocess.PIPE,
            stderr=subprocess.STDOUT,
            text=True,
            errors="replace",
            start_new_session=True,
        )
        try:
            for line in process.stdout or []:
                record.write(line)
                record.flush()
                lines.append(line.rstrip())
            return process.wait(), lines
        except BaseException:  # Ctrl-C: make and its compilers must not go on alone
            os.killpg(process.pid, signal.SIGKILL)
            raise


def pip(python: Path, arguments: list[str], log: Path) -> tuple[int, list[str]]:
    """pip of the environment that `python` belongs to."""
    options = ["--disable-pip-version-check", "--no-input"]
    return run([*pip_words(python), *arguments, *options], log)


def pip_words(python: Path) -> list[str]:
    """How the pip of an interpreter is started, without the user's settings."""
    return [str(python), "-I", str(Path(__file__).with_name("site_pip.py"))]


def without_room(lines: list[str]) -> str:
    """Nothing, or that what a command printed is of a full disk."""
    if not any(NO_ROOM.search(line) for line in lines):
        return ""
    places = f"{Path.cwd()}, {cache_folder()} or {tempfile.gettempdir()}"
    return f"no space left on device: make room on the disk of {places} and start again"


def why_pip_failed(lines: list[str], log: Path) -> str:
    """The one line that says why packages could not be fetched, installed or built."""
    if told := without_room(lines):
        return f"{told} (log: {log})"
    if any(UNREACHABLE.search(line) for line in lines):
        return (
            f"the package index cannot be reached, and {cache_folder()} does not hold what is "
            f"needed: connect once, or copy that folder from a machine that has it (log: {log})"
        )
    errors = [line.removeprefix("ERROR: ") for line in lines if line.startswith("ERROR: ")]
    return f"{errors[-1] if errors else 'pip failed'} (log: {log})"


def torch_requirement(pin: str, kind: str, system: str) -> str:
    """What to ask pip for, so that no other kind of build can be chosen.

    Only Linux has several. Those that are not PyPI's are versions of their own, with +cpu or +cu126
    at their end; `===` keeps these out where PyPI's own is meant.

    Args:
        kind: cpu, or the major version of CUDA.
        system: as sys.platform has it.
    """
    if system != "linux":
        return pin
    if kind not in BUILDS:
        raise SetupError(f"nvcc is of CUDA {kind}, and {pin} is for 12 and 13: load one of these")
    return f"{pin}+{BUILDS[kind]}" if BUILDS[kind] else pin.replace("==", "===")


def fetch_torch(python: Path, pin: str, kind: str, folder: Path, log: Path) -> None:
    """Put torch's wheel alone into the folder; never another kind of build than was meant."""
    wanted = torch_requirement(pin, kind, sys.platform)
    elsewhere = "+" in wanted
    command = ["download", "--no-deps", "--only-binary", ":all:", "--dest", str(folder), wanted]
    if elsewhere:
        command += ["--extra-index-url", f"{INDEX}/{BUILDS[kind]}", *BRIEFLY]
    status, lines = pip(python, command, log)
    if status and elsewhere:
        other = "and the CUDA build (several GB) is not fetched for a machine without a GPU"
        if kind != "cpu":
            other = f"and nvcc is of CUDA {kind}: load a CUDA 13, for which PyPI has torch"
        raise SetupError(
            f"{wanted} is neither at {INDEX}/{BUILDS[kind]} nor in pip's own sources, {other}; or "
            f"connect, or let PIP_FIND_LINKS name a folder with the wheel (log: {log})"
        )
    if status:
        raise SetupError(f"{pin} cannot be fetched: {why_pip_failed(lines, log)}")


def wheelhouse(
    python: Path, requirements: list[Path], abi: Mapping[str, Any], kind: str, log: Path
) -> Path:
    """A folder with the wheels of all requirements; downloads what this user never had.

    Args:
        python: interpreter of the environment, whose pip knows which wheels fit.
        requirements: pip requirement files; torch is treated apart where it is pinned.
        abi: what tells one kind of Python and platform from another.
        kind: of torch's build: cpu, or the major version of CUDA.
        log: pip's output goes to its end.

    Raises:
        SetupError: neither cached nor to be fetched.
    """
    texts = [path.read_text() for path in requirements]
    torch_pins = re.findall(r"^torch==\S+", "\n".join(texts), flags=re.MULTILINE)

    def fill(folder: Path) -> None:
        size = "250 MB, with PyTorch" if kind == "cpu" else "3 GB, with PyTorch and CUDA"
        print(f"downloading packages ({size if torch_pins else '30 MB'}) …", file=sys.stderr)
        for pin in torch_pins:
            fetch_torch(python, pin, kind, folder, log)
        command = ["download", "--only-binary", ":all:", "--dest", str(folder)]
        command += requirement_words(requirements, folder)
        status, lines = pip(python, [*command, "--find-links", str(folder), "--retries", "2"], log)
        if status:
            raise SetupError(f"packages cannot be fetched: {why_pip_failed(lines, log)}")

    key = digest_of_facts({"pins": texts, "abi": dict(abi), "kind": kind})
    return settled(cache_folder() / "wheelhouse" / key, fill)


def requirement_words(requirements: list[Path], wheels: Path) -> list[str]:
    """What pip is to install: the requirement files, and torch's very wheel out of this folder.

    Its pin alone fits several kinds of build, and pip's own sources may have another one. Where
    torch is the site's, nothing that depends on it may bring another: the files name all else.
    """
    named = [word for path in requirements for word in ("-r", str(path))]
    torch = [str(wheel) for wheel in wheels.glob("torch-*.whl")]
    return named + (torch or ["--no-deps"])


def pin_file(pins: list[Path], name: str) -> Path:
    """The one of the given requirement files that has this name."""
    found = [path for path in pins if path.name == name and path.is_file()]
    if not found:
        raise SetupError(f"no {name} among the files of --pins")
    return found[0]


@dataclass(frozen=True)
class Pin:
    """The release to build: version, and sha256 of its source archive."""

    version: str
    sha256: str


def read_pin(path: Path) -> Pin:
    """The pin in a requirement file of pip: horovod==VERSION --hash=sha256:DIGEST."""
    found = re.search(r"^horovod==(\S+) --hash=sha256:([0-9a-f]{64})$", path.read_text(), re.M)
    if not found:
        raise SetupError(f"{path} has no line `horovod==VERSION --hash=sha256:DIGEST`")
    return Pin(*found.groups())


def check_archive(archive: Path, pin: Pin) -> Path:
    """The archive, when it is the pinned one."""
    if not archive.is_file():
        raise SetupError(f"no source archive of Horovod at {archive}")
    found = hashlib.sha256(archive.read_bytes()).hexdigest()
    if found != pin.sha256:
        raise SetupError(
            f"{archive} is not Horovod {pin.version}: its sha256 is {found}, "
            f"the pinned one {pin.sha256}; delete it and fetch it again"
        )
    return archive


def fetch_archive(python: Path, pin_file: Path, log: Path) -> Path:
    """The pinned source archive, out of the cache or through pip.

    pip asks the archive for its metadata, for which `python` must have the build tools.
    """
    pin = read_pin(pin_file)

    def fill(folder: Path) -> None:
        command = ["download", "--no-deps", "--no-binary", "horovod", "--no-build-isolation"]
        command += ["--retries", "2", "--dest", str(folder), "-r", str(pin_file)]
        status, lines = pip(python, command, log)
        if status:
            reason = why_pip_failed(lines, log)
            raise SetupError(f"Horovod {pin.version} cannot be fetched: {reason}")

    folder = settled(cache_folder() / "sdist" / pin.sha256[:16], fill)
    return check_archive(folder / f"horovod-{pin.version}.tar.gz", pin)
