"""What a launcher and its ranks do when the process that started them is killed."""

import os
import signal
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
    "wait to be told": "while not pathlib.Path('go').exists(): time.sleep(0.05)",
}


def found(marker: Path) -> list[psutil.Process]:
    """All processes that have this path among their words."""
    return [
        process
        for process in psutil.process_iter(["cmdline"])
        if any(str(marker) in word for word in process.info["cmdline"] or [])
    ]


def launchers(script: Path) -> list[psutil.Process]:
    return [each for each in found(script) if each.name() in ("mpirun", "prterun")]


@pytest.fixture
def start(
    tmp_path: Path, launch_command: Callable[..., list[str]]
) -> Iterator[Callable[..., Path]]:
    """Start ranks below a process that does not become the launcher; the path of their script.

    What they end with is written beside it.
    """
    script = tmp_path / "script.py"

    def run(ranks: int, work: str, *above_all: str) -> Path:
        lines = ["import pathlib, sys, time", f"sys.path.insert(0, {str(SCRIPTS)!r})"]
        lines += ["import torch", "from elboflow.ranks.collectives import add, position"]
        lines += ["from elboflow.ranks.worker import start", "start()"]
        lines += [f"pathlib.Path({str(tmp_path)!r}, f'came{{position()[0]}}').touch()", work]
        script.write_text("\n".join(lines))
        words = launch_command(script, ranks=ranks)
        above = "import pathlib, subprocess; "
        above += f"pathlib.Path('status').write_text(str(subprocess.run({words!r}).returncode))"
        command = [*above_all, sys.executable, "-c", above]
        subprocess.Popen(command, stderr=subprocess.DEVNULL, cwd=tmp_path, start_new_session=True)
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
    (launcher,) = launchers(script)
    launcher.kill()
    wait_until(lambda: not found(script), "the end of the ranks")


@pytest.mark.fault("a closed terminal, under nohup", outcome="the ranks work to their end")
def test_a_launcher_under_nohup_outlives_its_terminal(start, tmp_path):
    (launcher,) = launchers(start(2, WORK["wait to be told"], "nohup"))
    os.killpg(os.getpgid(launcher.pid), signal.SIGHUP)
    (tmp_path / "go").touch()
    status = tmp_path / "status"
    wait_until(lambda: status.exists() and status.read_text(), "the end of the launcher")
    assert status.read_text() == "0"
