"""What a launcher and its ranks do when the process that started them is killed."""

import subprocess
import sys
from collections.abc import Callable, Iterator
from pathlib import Path

import psutil
import pytest

from waiting import wait_until

SCRIPTS = Path(__file__).parents[2] / "workflow/scripts"
WORK = {
    "sleep": "time.sleep(600)",
    # In C, where no other thread of Python's gets a word in.
    "computation": "sum(range(10**12))",
    "wait for others": "position()[0] or time.sleep(600); add(torch.ones(1), 'ones')",
}


def found(marker: Path) -> list[psutil.Process]:
    """All processes that have this path among their words."""
    return [
        process
        for process in psutil.process_iter(["cmdline"])
        if any(str(marker) in word for word in process.info["cmdline"] or [])
    ]


@pytest.fixture
def start(
    tmp_path: Path, launch_command: Callable[..., list[str]]
) -> Iterator[Callable[..., Path]]:
    """Start ranks below a shell that does not become the launcher; the path of their script."""
    script = tmp_path / "script.py"

    def run(ranks: int, work: str) -> Path:
        lines = ["import pathlib, sys, time", f"sys.path.insert(0, {str(SCRIPTS)!r})"]
        lines += ["import torch", "from elboflow.ranks.collectives import add, position"]
        lines += ["from elboflow.ranks.worker import start", "start()"]
        lines += [f"pathlib.Path({str(tmp_path)!r}, f'came{{position()[0]}}').touch()", work]
        script.write_text("\n".join(lines))
        words = launch_command(script, ranks=ranks)
        above = f"import subprocess; subprocess.run({words!r})"
        subprocess.Popen([sys.executable, "-c", above], stderr=subprocess.DEVNULL, cwd=tmp_path)
        wait_until(lambda: len(list(tmp_path.glob("came*"))) == ranks, "the ranks")
        return script

    yield run
    for process in found(script):
        process.kill()


@pytest.mark.fault("the launcher's parent killed with -9", outcome="all ranks end within seconds")
@pytest.mark.parametrize(("ranks", "work"), [(2, "sleep"), (4, "wait for others")])
def test_ranks_end_when_what_started_the_launcher_is_killed(start, ranks, work):
    script = start(ranks, WORK[work])
    (parent,) = [each for each in found(script) if "subprocess.run" in " ".join(each.cmdline())]
    parent.kill()
    wait_until(lambda: not found(script), "the end of launcher and ranks")


@pytest.mark.fault("mpirun killed with -9", outcome="all ranks end within seconds")
@pytest.mark.parametrize(
    ("ranks", "work"), [(2, "sleep"), (2, "computation"), (4, "wait for others")]
)
def test_ranks_end_when_the_launcher_is_killed(start, ranks, work):
    script = start(ranks, WORK[work])
    (launcher,) = [each for each in found(script) if each.name() in ("mpirun", "prterun")]
    launcher.kill()
    wait_until(lambda: not found(script), "the end of the ranks")
