"""Watch the jobs in the queue: their markers at every look, the scheduler only now and then."""

import os
import time
from collections.abc import Callable, Iterable, Sequence
from types import ModuleType

from .commands import Answer, ask
from .journal import Journal
from .judge import Outcome, Verdict, describe, judge_ended, judge_signalled, judge_silent
from .record import Record
from .silence import Silence, unread
from .status import State, Status
from .watched import Watched, first

SIGNALLED = 128  # an exit code above it is 128 + signal
SETTLES = 10.0  # seconds in which all have ended that share a job which was told to end
BACK_OFF = 4  # times the interval between two queries, while nothing changes


class Watch:
    """All jobs of one Snakemake.

    Args:
        dialect: the module that asks and understands the scheduler.
        poll, grace, max_silence: seconds; see settings.py.
        warn: is given a line for the user.
    """

    def __init__(
        self,
        dialect: ModuleType,
        journal: Journal,
        poll: float,
        grace: float,
        warn: Callable[[str], None],
        max_silence: float = 3600.0,
        ask: Callable[[Sequence[str]], Answer] = ask,
        clock: Callable[[], float] = time.monotonic,
    ) -> None:
        self.dialect, self.journal, self.warn = dialect, journal, warn
        self.poll, self.grace, self.ask, self.clock = poll, grace, ask, clock
        self.jobs: dict[str, Watched] = {}
        self.interval, self.next_query = poll, clock() + poll
        self.max_silence = max_silence
        self.silence, self.blindness = Silence(warn, clock), Silence(warn, clock)
        self.gave_up = ""  # why there is no use in looking on, in a line

    def add(self, record: Record, walltimes: int) -> None:
        """Watch a submitted job."""
        self.jobs[record.token] = Watched(record, walltimes)
        self.interval = self.poll
        self.next_query = min(self.next_query, self.clock() + self.poll)

    def drop(self, token: str) -> None:
        self.jobs.pop(token, None)
        if not self.jobs:
            self.gave_up = ""

    def in_queue(self) -> int:
        """How many jobs of the scheduler they are."""
        return len({job.record.pack or token for token, job in list(self.jobs.items())})

    def look(self) -> dict[str, Verdict]:
        """What has become of each job, by token."""
        codes = self._codes()
        if codes is None:  # nor is anything concluded from what the scheduler says
            return {token: Verdict(Outcome.WAIT) for token in list(self.jobs)}
        jobs = dict(self.jobs)  # others submit meanwhile
        ended = {token: job for token, job in jobs.items() if token in codes}
        silent = {token: job for token, job in jobs.items() if token not in codes}
        verdicts = {token: self._judge_ended(job, codes[token]) for token, job in ended.items()}
        failed = [job for token, job in ended.items() if verdicts[token].outcome is Outcome.FAILED]
        if self.clock() >= self.next_query and silent:
            self._query([*silent.values(), *failed])
            self.interval = min(2 * self.interval, BACK_OFF * self.poll)
            self.next_query = self.clock() + self.interval
        elif failed:
            self._query(failed)
        self._ask_again(job for job in silent.values() if self._is_over(job))
        for job in failed:
            token = job.record.token
            verdicts[token] = self._with_reason(job, verdicts[token], codes[token])
        verdicts |= {token: self._judge_silent(job) for token, job in silent.items()}
        if any(verdict.outcome is not Outcome.WAIT for verdict in verdicts.values()):
            self.interval = self.poll
        return verdicts

    def _ask_again(self, jobs: Iterable[Watched]) -> None:
        """Hear a second time of jobs that would be given up: a single answer may be wrong."""
        if doomed := list(jobs):
            for job in doomed:
                job.status = None
            self._query(doomed)

    def _query(self, jobs: Iterable[Watched]) -> None:
        """Ask once for all; of a job that the answer does not speak of, what was known stays."""
        asked = [job for job in jobs if job.record.job_id]
        answers: list[Answer] = []

        def listen(words: Sequence[str]) -> Answer:
            answers.append(self.ask(words))
            return answers[-1]

        statuses = self.dialect.query([job.record for job in asked], listen)
        for job in asked:
            status = statuses.get(job.record.job_id)
            if status and (news := job.hear(status, self.clock(), self.dialect.NAME)):
                self.warn(news)
        self._note_silence([job for job in asked if job.record.job_id not in statuses], answers)

    def _note_silence(self, jobs: list[Watched], answers: list[Answer]) -> None:
        """Say that there was no answer on some jobs, and after a long time give up."""
        if not jobs:
            if all(job.silent_since is None for job in list(self.jobs.values())):
                self.silence.ends(f"{self.dialect.NAME} answers again")
            return
        why = unread(self.dialect.NAME, [job.record.job_id or "" for job in jobs], answers)
        self.silence.goes_on(f"{why}; asking again, jobs are left alone")
        now = self.clock()
        for job in jobs:
            job.silent_since = first(job.silent_since, now)
        self._give_up(min(first(job.silent_since, now) for job in jobs), why)

    def _give_up(self, since: float, why: str) -> None:
        if self.clock() - since >= self.max_silence:
            self.gave_up = (
                f"{why}, and so it has been for {self.max_silence:g} s "
                "(--qsub-max-silence): jobs are left alone; when that is put right start Snakemake "
                "again, which takes them over"
            )

    def _codes(self) -> dict[str, int] | None:
        """The exit codes of jobs that have ended; None where the file system does not tell."""
        try:
            if self.journal.mend(job.record for job in list(self.jobs.values())):
                self.warn(f"{self.journal.root} had vanished in part or whole: it is made anew")
            codes = self.journal.ended()
        except OSError as error:
            why = f"the ends of jobs cannot be seen: {error.strerror}: {error.filename}"
            lasts = self.blindness.goes_on(f"{why}; looking again, jobs are left alone")
            self._give_up(self.clock() - lasts, why)
            return None
        self.blindness.ends("the ends of jobs can be seen again")
        return codes

    def _judge_ended(self, job: Watched, exit_code: int) -> Verdict:
        carry_on = self.journal.wants_more(job.record)
        return judge_ended(job.record, exit_code, carry_on, job.walltimes)

    def _is_over(self, job: Watched) -> bool:
        return self._outcome(job) is not Outcome.WAIT

    def _outcome(self, job: Watched) -> Outcome:
        since = job.missing_since
        missing_for = 0.0 if since is None else self.clock() - since
        return judge_silent(job.status, missing_for, self.grace)

    def _judge_silent(self, job: Watched) -> Verdict:
        job.signalled_since = None
        outcome = self._outcome(job)
        if outcome is not Outcome.FAILED or not job.status:
            return Verdict(outcome)
        status = self._explained(job, job.status)
        if status.succeeded:
            return Verdict(Outcome.SUCCEEDED)  # its marker is not seen here, for some reason
        marker, reason = self.journal.marker(job.record), describe(status, job.record)
        damaged = f"; {marker} is damaged and tells nothing" if os.path.lexists(marker) else ""
        return Verdict(outcome, reason + damaged)

    def _with_reason(self, job: Watched, verdict: Verdict, exit_code: int) -> Verdict:
        """A job that left an exit code may still have been killed: the scheduler knows why."""
        status = self._explained(job, job.status) if job.status else None
        runs = status is not None and status.state is State.RUNNING  # its end is yet to be noted
        patience = min(SETTLES, self.grace) if runs or job.record.pack else 0.0
        if exit_code > SIGNALLED:
            patience = self.grace
        if patience and self._is_awaited(job, status, patience):
            return Verdict(Outcome.WAIT)
        if status and status.reason:
            return Verdict(Outcome.FAILED, f"{verdict.reason}: {describe(status, job.record)}")
        return verdict

    def _is_awaited(self, job: Watched, status: Status | None, patience: float) -> bool:
        """Whether the scheduler has yet to say why it told a job to end, or starts it over."""
        job.signalled_since = first(job.signalled_since, self.clock())
        lasts = self.clock() - job.signalled_since
        if judge_signalled(status, lasts, patience) is not Outcome.WAIT:
            return False
        if status is not None and status.state is State.WAITING:
            self.journal.start_over(job.record)
            job.has_run = True
        return True

    def _explained(self, job: Watched, status: Status) -> Status:
        """What the accounting says of a job that is no longer listed."""
        if status.state is State.UNLISTED and job.record.job_id:
            explained = self.dialect.explain(job.record, self.ask)
            return explained if explained.state is State.ENDED or explained.words else status
        return status
