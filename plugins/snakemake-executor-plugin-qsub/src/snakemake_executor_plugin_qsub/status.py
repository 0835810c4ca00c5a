"""What a scheduler says of a job, in words that both dialects share."""

from dataclasses import dataclass, field
from enum import Enum


class State(Enum):
    """Where a job is."""

    WAITING = "waiting"
    RUNNING = "running"
    STUCK = "stuck"  # held, or in an error state: it will not start by itself
    ENDED = "ended"
    UNLISTED = "unlisted"  # the scheduler answered, and does not know it (any more)


@dataclass(frozen=True)
class Shown:
    """What the scheduler shows of a job beside its number; what it does not is empty.

    Args:
        submitted: seconds since 1970.
        is_fixed: whether that is the time of the first submission, also after a restart; else the
            job was submitted then or before.
    """

    owner: str = ""
    name: str = ""
    submitted: float | None = None
    is_fixed: bool = False


@dataclass(frozen=True)
class Used:
    """What a job has used, as far as the scheduler tells while it runs.

    Args:
        efficiency: processor time, of what its processors could have given.
        memory: the most, in MiB.
    """

    efficiency: float | None = None
    memory: float | None = None


UNTOLD = Used()


@dataclass(frozen=True)
class Status:
    """One job in the scheduler's answer.

    Args:
        words: the scheduler's own, where it has any to say.
        reason: why the job ended, where the scheduler tells: 'killed at its walltime'.
        exit_code: of the job's script, where the scheduler tells.
        shown: whose job it is, where there is an entry of one.
    """

    state: State
    words: str = ""
    reason: str = ""
    exit_code: int | None = None
    shown: Shown | None = field(default=None, compare=False)
    used: Used = field(default=UNTOLD, compare=False)

    @property
    def is_anothers(self) -> bool:
        """Whether the number that ours had has become that of another job."""
        return self.state is State.UNLISTED and self.shown is not None

    @property
    def is_gone(self) -> bool:
        """Whether the job neither waits nor runs."""
        return self.state in (State.ENDED, State.UNLISTED)

    @property
    def succeeded(self) -> bool:
        """Whether the scheduler knows that its script ended well."""
        return self.exit_code == 0 and not self.reason


AT_WALLTIME = "killed at its walltime"
DELETED = "deleted with qdel, not by this workflow"
