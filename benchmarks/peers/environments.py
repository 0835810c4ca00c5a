"""A Python for each peer, made once in the user's cache: torch and its imports as the workflow pins
them, and the peer's own pins beside them, without what these would pull in on top.
"""

import re
import subprocess
import sys
from pathlib import Path

from elboflow.environment.wheelhouse import (
    BRIEFLY,
    BUILDS,
    INDEX,
    cache_folder,
    digest_of_facts,
    pip_words,
    settled,
    torch_requirement,
)

WORKFLOW = Path(__file__).parents[2] / "workflow" / "envs"
TORCH = WORKFLOW / "torch.txt"


def peer_python(name: str) -> Path:
    """The interpreter of the environment with the pins of `name`.txt."""
    pins = Path(__file__).with_name(f"{name}.txt")
    facts = {"python": sys.version, "pins": [TORCH.read_text(), pins.read_text()]}
    folder = cache_folder() / "bench" / f"{name}-{digest_of_facts(facts)}"
    return settled(folder, lambda aside: _make(aside, pins)) / "bin" / "python"


def _make(folder: Path, pins: Path) -> None:
    print(f"making the environment of {pins.stem}", file=sys.stderr)
    subprocess.run([sys.executable, "-m", "venv", folder], check=True)
    install = [*pip_words(folder / "bin" / "python"), "install", "--quiet", "--no-deps"]
    # Alone and first: else pip might take the build with gigabytes of CUDA for it.
    torch = torch_requirement(f"torch=={pinned(TORCH, 'torch')}", "cpu", sys.platform)
    index = ["--extra-index-url", f"{INDEX}/{BUILDS['cpu']}", *BRIEFLY]
    subprocess.run([*install, *index, torch], check=True)
    subprocess.run([*install, "--requirement", TORCH, "--requirement", pins], check=True)


def pinned(pins: Path, package: str) -> str:
    """The version of a package in a file of pins."""
    found = re.search(rf"^{re.escape(package)}==(\S+)", pins.read_text(), re.MULTILINE)
    assert found, f"{pins} has no {package}"
    return found[1]
