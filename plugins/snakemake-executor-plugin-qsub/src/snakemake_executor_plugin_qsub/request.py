"""What one job asks of the scheduler: its submit line and how much it can cost."""

import shlex
from collections.abc import Mapping
from dataclasses import dataclass, replace
from fractions import Fraction
from pathlib import Path
from typing import Any

from .queues import Queue
from .settings import ExecutorSettings
from .submission import clock, expand

DOUBLINGS = 30  # after which any walltime is at its longest


@dataclass(frozen=True)
class Request:
    """A job's resources, as the submit line names them."""

    title: str
    name: str
    resources: Mapping[str, Any]
    seconds: int
    nodes: int
    tasks_per_node: int
    walltimes: int  # that it may take, if its program asks to go on
    margin: int
    extra: tuple[str, ...] = ()  # further words, before the script
    longest: int = (
        0  # seconds; each further walltime is twice as long as the one before, up to this
    )
    queue: Queue | None = None
    least: int = 0  # nodes with which a further try can do; 0: as many as `nodes`
    is_range: bool = False  # whether it is given any number of nodes from the least to `nodes`

    def words(
        self, settings: ExecutorSettings, script: Path, log: Path, name: str = ""
    ) -> list[str]:
        """The words of the submit line.

        Args:
            name: of this one submission.
        """
        fields = {
            "slots": self.slots,
            **self.resources,
            "nodes": self.nodes,
            "tasks_per_node": self.tasks_per_node,
            "name": name or self.name,
            "walltime": clock(self.seconds),
            "script": script,
            "log": log,
        }
        words = expand(settings.submit or "", fields, self.title)
        place = words.index(str(script))
        return [*words[:place], *self.extra, *words[place:]]

    def line(self, settings: ExecutorSettings) -> str:
        """The submit line as one would type it, the script and log by their bare names."""
        return shlex.join(self.words(settings, Path("job.sh"), Path("scheduler.log")))

    def at(self, walltime: int) -> "Request":
        """What a job asks for that goes on for the second, third … time."""
        doubled = self.seconds << min(walltime - 1, DOUBLINGS)
        return replace(self, seconds=max(self.seconds, min(doubled, self.longest)))

    @property
    def slots_per_node(self) -> int:
        return int(self.resources.get("slots_per_node", self.tasks_per_node))

    @property
    def slots(self) -> str:
        """Of all nodes, in Grid Engine's words: where any number of these will do, a range."""
        most = self.nodes * self.slots_per_node
        return f"{self.least * self.slots_per_node}-{most}" if self.is_range else f"{most}"

    @property
    def program_seconds(self) -> int:
        """From the start of a job to the moment by which its program should have ended."""
        return self.seconds - min(self.margin, 3 * self.seconds // 4)

    @property
    def node_hours(self) -> Fraction:
        """Node-hours of one walltime."""
        return Fraction(self.nodes * self.seconds, 3600)

    @property
    def charged(self) -> Fraction:
        """What is charged for one walltime, in node-hours."""
        return self.share * self.node_hours

    @property
    def most_node_hours(self) -> Fraction:
        """Node-hours of all walltimes that it may go on for."""
        growing = min(self.walltimes, DOUBLINGS)
        first = sum(self.at(walltime).node_hours for walltime in range(1, growing + 1))
        return first + (self.walltimes - growing) * self.at(DOUBLINGS).node_hours

    @property
    def share(self) -> Fraction:
        """Of a node, that each of its nodes is charged as."""
        return self.queue.share if self.queue else Fraction(1)

    @property
    def idle(self) -> list[str]:
        """A remark on nodes that it takes whole and does not fill."""
        if self.queue is None or self.tasks_per_node >= self.queue.tasks_per_node:
            return []
        return [
            f"#   fills {self.tasks_per_node} of the {self.queue.tasks_per_node} tasks of each "
            f"node of {self.queue.name}"
        ]
