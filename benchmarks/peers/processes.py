"""Contenders as processes: one of them works at a time, all others are stopped."""

import contextlib
import json
import os
import signal
import subprocess
import time
from collections.abc import Iterator, Mapping, Sequence
from pathlib import Path
from types import TracebackType
from typing import Any

from peers.rounds import Turn

TICKS_PER_SECOND = os.sysconf("SC_CLK_TCK")


def busy_ticks() -> int:
    """Of all cores since the machine started: all but idle and waiting for disks."""
    numbers = [int(word) for word in Path("/proc/stat").read_text().split("\n")[0].split()[1:9]]
    return sum(numbers) - numbers[3] - numbers[4]


def _stats() -> Iterator[tuple[int, list[str]]]:
    """Of all processes the id and what stands behind the name in /proc/PID/stat."""
    for path in Path("/proc").glob("[0-9]*"):
        with contextlib.suppress(OSError):
            yield int(path.name), (path / "stat").read_text().rpartition(")")[2].split()


def tree(root: int) -> dict[int, int]:
    """A process and all below it, parents first, with the ticks each and its dead have used."""
    parents, ticks = {}, {}
    for process, words in _stats():
        parents[process], ticks[process] = int(words[1]), sum(map(int, words[11:15]))
    found = [root]
    for process in found:
        found += [child for child, parent in parents.items() if parent == process]
    return {process: ticks.get(process, 0) for process in found}


class Contender:
    """A process that answers lines, as turns.py says, stopped but for its turns.

    Args:
        folder: to work in; what it prints besides answers goes into a log there.
    """

    def __init__(
        self, name: str, words: Sequence[object], variables: Mapping[str, str], folder: Path
    ) -> None:
        self.name, self.log = name, folder / f"{name}.log"
        with self.log.open("w") as errors:
            self.process = subprocess.Popen(
                list(map(str, words)),
                stdin=subprocess.PIPE,
                stdout=subprocess.PIPE,
                stderr=errors,
                text=True,
                cwd=folder,
                env={**os.environ, **variables},
                # The system hangs up on a group with stopped processes when its shell ends, and
                # mpirun ends of that, even under nohup.
                start_new_session=True,
            )

    def __enter__(self) -> "Contender":
        return self

    def __exit__(
        self,
        kind: type[BaseException] | None,
        error: BaseException | None,
        at: TracebackType | None,
    ) -> None:
        self._signal(signal.SIGKILL)
        self.process.communicate()

    def ask(self, line: object) -> dict[str, Any]:
        """Let it go on until it has answered."""
        assert self.process.stdin and self.process.stdout
        self._signal(signal.SIGCONT)
        with contextlib.suppress(BrokenPipeError):  # it has ended, as the lack of an answer tells
            print(line, file=self.process.stdin, flush=True)
        # Launchers may say something of their own first.
        for answer in self.process.stdout:
            if answer.startswith("{"):
                self._signal(signal.SIGSTOP)
                return dict(json.loads(answer))
        status = self.process.wait()
        raise SystemExit(f"{self.name} has ended with {status}:\n{self.log.read_text()[-2000:]}")

    def turn(self, images: int) -> Turn:
        """Images per second, and how much of the machine others took meanwhile."""
        began, others = time.monotonic(), busy_ticks() - self._ticks()
        answer = self.ask(images)
        others = busy_ticks() - self._ticks() - others
        capacity = (time.monotonic() - began) * TICKS_PER_SECOND * (os.cpu_count() or 1)
        return Turn(answer["images"] / answer["seconds"], others / capacity)

    def _ticks(self) -> int:
        return sum(tree(self.process.pid).values())

    def _signal(self, number: int) -> None:
        for process in tree(self.process.pid):
            with contextlib.suppress(ProcessLookupError):
                os.kill(process, number)
