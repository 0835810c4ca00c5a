"""One job in the queue, and what was last heard of it."""

from dataclasses import dataclass

from .record import Record
from .status import UNTOLD, State, Status, Used
from .submission import clock

OVERDUE = 600.0  # seconds after its walltime in which a job should be gone


@dataclass
class Watched:
    """One job, and the last that the scheduler said of it; times are seconds of one clock."""

    record: Record
    walltimes: int  # that it may take
    status: Status | None = None
    used: Used = UNTOLD
    missing_since: float | None = None
    silent_since: float | None = None  # no answer has spoken of it since
    running_since: float | None = None
    signalled_since: float | None = None  # its script was told to end then, and did
    has_run: bool = False
    told: str = ""  # what the user was last told of it

    def hear(self, status: Status, now: float, scheduler: str) -> str:
        """Take note of an answer; a line for the user, if it has news."""
        self.status, self.silent_since = status, None
        self.used = self.used if status.used == UNTOLD else status.used
        self.missing_since = first(self.missing_since, now) if status.is_gone else None
        runs = status.state is State.RUNNING
        self.running_since = first(self.running_since, now) if runs else None
        self.has_run |= runs
        before, self.told = self.told, self._trouble(status, now, scheduler)
        return self.told if self.told != before else ""

    def _trouble(self, status: Status, now: float, scheduler: str) -> str:
        """Why it will not start or end by itself."""
        name = f"job {self.record.job_id} ({self.record.token})"
        if status.state is State.STUCK and status.words:
            return f"{name} does not {'go on' if self.has_run else 'start'}: {status.words}"
        if status.state is State.WAITING and self.has_run:
            words = f": {status.words}" if status.words else ""
            return f"{name} had started, and {scheduler} put it back into the queue{words}"
        if now - first(self.running_since, now) > self.record.seconds + OVERDUE:
            return (
                f"{name} should have ended: {scheduler} shows it running after its walltime of "
                f"{clock(self.record.seconds)}; if its node is down, qdel it to go on"
            )
        return ""


def first(earlier: float | None, now: float) -> float:
    return now if earlier is None else earlier
