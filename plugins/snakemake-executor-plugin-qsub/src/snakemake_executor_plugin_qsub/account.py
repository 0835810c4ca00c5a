"""What jobs have used of the node-hours that they asked for, by the times of their own files.

used.csv    one row per job that has started and ended, appended to by each Snakemake
"""

import contextlib
import csv
import io
import time

from . import files
from .journal import Journal
from .record import Record
from .status import UNTOLD, Used

COLUMNS = (
    *("ended", "job", "title", "nodes", "share", "seconds_asked", "seconds_used", "outcome"),
    *("queue", "efficiency", "memory_mib", "pack"),
)


class Account:
    """The node-hours of this Snakemake's jobs, also of those that it took over."""

    def __init__(self, journal: Journal) -> None:
        self.journal = journal
        self.path = journal.root / "used.csv"
        self.asked = 0.0  # node-hours x share
        # Of each job of the scheduler; those that share one hold its node until the
        # last of them has ended, and are charged for that.
        self.held: dict[str, tuple[float, float]] = {}  # nodes x share, and seconds

    def add(self, record: Record, title: str, outcome: str, told: Used = UNTOLD) -> None:
        """Count a job that has ended, while its files are there; one that never started is none.

        Args:
            told: what the scheduler said of it last.
        """
        used = self.seconds(record)
        if used is None:
            return
        given = self.journal.ran_on(record)[1]
        job, nodes = record.pack or record.token, record.share * given
        if job not in self.held:
            self.asked += nodes * record.seconds / 3600
        self.held[job] = (nodes, max(used, self.held.get(job, (nodes, 0.0))[1]))
        size = (given, round(record.share, 4), record.seconds, round(used))
        row = (record.job_id, title, *size, outcome, record.queue, rounded(told.efficiency, 3))
        with contextlib.suppress(OSError):  # no reason to lose a job
            self._append((*row, rounded(told.memory), record.pack))

    def seconds(self, record: Record) -> float | None:
        """From the start of a job's script to its end, or to now; None where it has not started."""
        with contextlib.suppress(OSError):
            began = self.journal.started(record).stat().st_mtime
            try:
                ended = self.journal.marker(record).stat().st_mtime
            except FileNotFoundError:  # killed
                ended = files.now(self.journal.jobs)
            return max(0.0, ended - began)
        return None

    def _append(self, row: tuple[object, ...]) -> None:
        """In one write, so that rows of two drivers stay whole."""
        text = io.StringIO()
        writer = csv.writer(text, lineterminator="\n")
        if self._begin():
            writer.writerow(COLUMNS)
        writer.writerow([time.strftime("%Y-%m-%dT%H:%M:%SZ", time.gmtime()), *row])
        with self.path.open("a", encoding="utf-8") as file:
            file.write(text.getvalue())

    def _begin(self) -> bool:
        """Whether the file is to begin; one of another version is set aside."""
        if not self.path.exists():
            return True
        if files.read(self.path).partition("\n")[0] == ",".join(COLUMNS):
            return False
        self.path.replace(self.path.with_suffix(".old.csv"))
        return True

    def line(self) -> str:
        """The sum, in words; empty where no job has ended."""
        if not self.held:
            return ""
        used = sum(nodes * seconds for nodes, seconds in self.held.values()) / 3600
        return (
            f"{len(self.held)} {'job' if len(self.held) == 1 else 'jobs'} used {used:.2f} of the "
            f"{self.asked:.2f} node-hours asked for: {self.path}"
        )


def rounded(number: float | None, digits: int = 0) -> str:
    """In digits; empty where it is not known."""
    return "" if number is None else f"{number:.{digits}f}"
