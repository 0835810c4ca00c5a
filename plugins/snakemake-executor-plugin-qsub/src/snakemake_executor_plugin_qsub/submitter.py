"""Submit jobs, one after the other: find out their ids, and wait with what is not taken for now.

Where it is in doubt whether qsub took a job, the scheduler is asked for a job of its name before
qsub is run again or believed to have refused it: no job is submitted twice.
"""

import re
import time
from collections.abc import Callable, Sequence
from threading import Event
from types import ModuleType

from snakemake_interface_common.exceptions import WorkflowError

from .commands import Answer, ask
from .record import Record

# The scheduler's own refusal, and what follows; what a site says before it is none.
OWN = re.compile(r"^\W*(?:qsub: |Unable to run job: ).*", re.MULTILINE | re.DOTALL)
FIRST, LONGEST = 5.0, 300.0  # seconds between two tries
SETTLE = (1.0, 3.0, 9.0, 27.0)  # seconds in which a job comes into sight that qsub says it took
# There are as many jobs as the scheduler takes, of this user or in all.
FULL = re.compile(
    r"would exceed (queue|server|complex|overall|limit on|per-|\S+'s )|max_queued|max_run\b"
    r"|max_u_jobs|maximum number of (\w+ )*jobs|too many (\w+ )*jobs|only \d+ jobs are allowed"
    r"|max \d+ jobs|limit of ([\w-]+ )*jobs|number of (\w+ )*jobs exceeds|already have \d+ jobs"
    r"|jobs? limit (has been |is )?(reached|exceeded)|queue is full",
    re.IGNORECASE,
)
BAD_NAME = re.compile(r"illegal -N|(illegal|invalid|too long) (job ?)?name|name .*too long", re.I)
SHORTER = (
    "; where names may not be so long leave -N {name} out of qsub-submit: a job then has its "
    "script's name"
)
# It did not answer, or broke off.
AWAY = re.compile(
    r"cannot connect|couldn't connect|connection (refused|reset|closed|timed out)|timed? ?out"
    r"|unable to (contact|send message)|no route to host|unreachable|communication failure"
    r"|commlib error|end of file|premature end|\bbusy\b|try again later|temporarily unavailable"
    r"|temporary failure|server is (\w+ )?unavailable|no response|can't connect|datastore"
    r"|rate limit|invalid credential|protocol \(asn|stale file handle|cannot allocate memory"
    r"|shutting down|being shut down|no answer within",
    re.IGNORECASE,
)


def refusal(answer: Answer) -> str:
    """Why qsub took no job, in its words or in those of whoever stands in for it."""
    found = OWN.search(answer.said)
    return found[0] if found else answer.said


class Dropped(WorkflowError):
    """Snakemake ends, and a job that waited for the queue is not submitted any more."""


class NoAnswer(WorkflowError):
    """The scheduler has not answered for too long."""


class Submitter:
    """Submits for one Snakemake.

    Args:
        dialect: the module that understands the scheduler.
        in_queue: how many of its jobs wait or run there.
        is_ending: whether Snakemake does not want this job to be submitted any more.
        started_as: the id that a job has left itself, if it has started.
        tell: is given a line for the user.
        max_silence: seconds; see settings.py.
    """

    def __init__(
        self,
        dialect: ModuleType,
        in_queue: Callable[[], int],
        is_ending: Callable[[Record], bool],
        started_as: Callable[[Record], str | None],
        tell: Callable[[str], None],
        max_silence: float = 3600.0,
        ask: Callable[[Sequence[str]], Answer] = ask,
        clock: Callable[[], float] = time.monotonic,
    ) -> None:
        self.dialect, self.tell, self.ask, self.clock = dialect, tell, ask, clock
        self.max_silence = max_silence
        self.in_queue, self.is_ending, self.started_as = in_queue, is_ending, started_as
        self.stopped = Event()  # for good
        self.stirred = Event()  # something has changed for those who wait
        self.most: int | None = None  # jobs that the scheduler takes, as far as is known
        self.pause = FIRST
        self.silent_since: float | None = None
        self.told_full: set[bool] = set()  # with jobs of ours in the queue, and with none

    def stop(self) -> None:
        """Break off what waits."""
        self.stopped.set()
        self.stirred.set()

    def job_ended(self) -> None:
        """There may be room for another job."""
        self.pause = FIRST
        self.stirred.set()

    def place(self, words: Sequence[str], record: Record) -> str:
        """Run qsub until it has taken the job; its id.

        Raises:
            Dropped, NoAnswer: it was not submitted, or it is in doubt whether it was.
            WorkflowError: it was refused.
        """
        if self.most is not None and self.in_queue() >= self.most:
            self._wait(record)
        while not self._is_over(record):
            answer = self.ask(words)
            if job_id := self.dialect.job_id(answer) or self._find(record, answer):
                self._note_room()
                return job_id
            if not self._is_over(record):
                self._bear(answer)
                self._wait(record)
        raise Dropped("not submitted: Snakemake ends while it waits for the queue")

    def _note_room(self) -> None:
        """A job was taken; where there were as many as ever before, the limit is unknown again."""
        self.pause, self.silent_since = FIRST, None
        if self.most is not None and self.in_queue() >= self.most:
            self.most = None

    def _find(self, record: Record, answer: Answer) -> str | None:
        """The id of a job in the queue, of which qsub has told it not at all or in other words."""
        ids = self.dialect.candidates(answer)
        refused = answer.exit_code and not AWAY.search(refusal(answer))
        if refused and not ids and FULL.search(refusal(answer)):
            return None
        for pause in (0.0,) if answer.exit_code else SETTLE:
            while (found := self._shown(record, ids)) is None and not self._is_over(record):
                if refused:  # it may be believed: should there be a job, it will find no ticket
                    return None
                doubt = "" if answer.exit_code else "; is this another --qsub-dialect?"
                self._bear_silence(f"qsub: {answer.complaint}; qstat shows no jobs{doubt}")
                self._wait(record)
            if found:
                return found
            self._doze(pause)
        return None

    def _shown(self, record: Record, ids: Sequence[str]) -> str | None:
        """The id under which a job has started or is listed; None where there was no answer."""
        if job_id := self.started_as(record):
            return job_id
        found = self.dialect.find(record, ids, self.ask)
        return None if found is None else "".join(found[-1:])

    def _bear(self, answer: Answer) -> None:
        """Take note of a refusal that is for now.

        Raises:
            WorkflowError: it is for good.
        """
        if FULL.search(refusal(answer)):
            self._bear_fullness(answer.complaint)
        elif AWAY.search(refusal(answer)):
            self._bear_silence(answer.complaint)
        elif answer.exit_code:
            hint = SHORTER if BAD_NAME.search(refusal(answer)) else ""
            raise WorkflowError(f"qsub refused it: {answer.complaint}{hint}")
        else:
            raise WorkflowError(
                f"{self.dialect.NAME} shows no job of this name, and qsub printed no id of one: "
                f"{answer.complaint}"
            )

    def _bear_fullness(self, words: str) -> None:
        """Take note of how many jobs the scheduler takes."""
        there = self.in_queue()
        self.silent_since, self.most = None, max(there, 1)
        if bool(there) not in self.told_full:
            doubt = "; none of ours is there: if a job asks for too much, Ctrl-C and ask for less"
            self.tell(
                f"{self.dialect.NAME} takes no more jobs for now ({words}): the others wait here, "
                f"and are submitted as jobs end or when there is room{'' if there else doubt}"
            )
        self.told_full.add(bool(there))

    def _bear_silence(self, words: str) -> None:
        """Take note that the scheduler does not answer.

        Raises:
            NoAnswer: it has not for too long.
        """
        if self.silent_since is None:
            self.silent_since = self.clock()
            self.tell(
                f"{self.dialect.NAME} does not answer ({words}): trying again, for at most "
                f"{self.max_silence:g} s"
            )
        elif self.clock() - self.silent_since >= self.max_silence:
            raise NoAnswer(
                f"{self.dialect.NAME} has not answered for {self.max_silence:g} s "
                f"(--qsub-max-silence): {words}; jobs are left alone; when that is put right start "
                "Snakemake again, which takes them over"
            )

    def _wait(self, record: Record) -> None:
        """Until something has changed, or for a time that grows."""
        until, self.pause = self.clock() + self.pause, min(2 * self.pause, LONGEST)
        while self.clock() < until and not self._is_over(record):
            if self._doze(1.0):
                break

    def _doze(self, seconds: float) -> bool:
        """Whether something has changed meanwhile."""
        stirred = not self.stopped.is_set() and self.stirred.wait(seconds)
        self.stirred.clear()
        return stirred

    def _is_over(self, record: Record) -> bool:
        return self.stopped.is_set() or self.is_ending(record)
