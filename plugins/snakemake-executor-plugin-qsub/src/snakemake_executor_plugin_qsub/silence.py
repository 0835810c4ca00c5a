"""What gives no answer: said at once and every ten minutes, and when it answers again."""

from collections.abc import Callable, Sequence

from .commands import Answer

REPEAT = 600.0  # seconds
LONGEST = 300  # characters of what was said


class Silence:
    """One that is asked again and again.

    Args:
        warn: is given a line for the user.
        clock: seconds.
    """

    def __init__(self, warn: Callable[[str], None], clock: Callable[[], float]) -> None:
        self.warn, self.clock = warn, clock
        self.since: float | None = None
        self.told_at = 0.0

    def goes_on(self, line: str) -> float:
        """It gave no answer; how many seconds this lasts."""
        now = self.clock()
        if self.since is None or now - self.told_at >= REPEAT:
            self.warn(line)
            self.told_at = now
        self.since = now if self.since is None else self.since
        return now - self.since

    def ends(self, line: str) -> None:
        """It answered."""
        if self.since is not None:
            self.since = None
            self.warn(line)


def shortened(words: str) -> str:
    return words if len(words) <= LONGEST else f"{words[:LONGEST]} …"


def said(answers: Sequence[Answer]) -> str:
    """What the scheduler said instead of an answer, in its own words."""
    bad = [answer for answer in answers if answer.exit_code] or list(answers[-1:])
    return shortened("; ".join(dict.fromkeys(answer.complaint for answer in bad)) or "nothing")


def unread(scheduler: str, job_ids: Sequence[str], answers: Sequence[Answer]) -> str:
    """That the scheduler gave no answer on some jobs, in a line."""
    ids = shortened(" ".join(job_ids))
    return f"{scheduler} gave no answer that can be read on {ids}: {said(answers)}"
