"""The ends of jobs: what is said of them, and what they leave behind."""

from collections.abc import Sequence
from logging import Logger
from pathlib import Path

from . import files
from .account import Account
from .earlier import delete
from .journal import Journal
from .record import Record
from .submitting import Submitting


class Ending:
    """The ends of one Snakemake's jobs."""

    def __init__(
        self, journal: Journal, account: Account, submitting: Submitting, logger: Logger
    ) -> None:
        self.journal, self.account = journal, account
        self.submitting, self.logger = submitting, logger

    def judge_host(self, record: Record, reason: str) -> None:
        """Learn from a job's end about its node.

        Args:
            reason: why it failed; empty where it succeeded.
        """
        host, nodes = self.journal.ran_on(record)
        if host and nodes == 1:
            rule = self.submitting.requests[record.token].title.partition(" ")[0]
            if reason:
                self.submitting.hosts.fails(host, rule, reason)
            else:
                self.submitting.hosts.succeeds(host, rule)

    def forget(self, record: Record, outcome: str) -> None:
        """Count a job that has ended, and keep nothing of it but its log."""
        self.count(record, outcome)
        self.journal.close(record)
        self.submitting.watch.drop(record.token)
        self.submitting.requests.pop(record.token, None)
        self.submitting.submitter.job_ended()

    def count(self, record: Record, outcome: str) -> None:
        """Add a job of this Snakemake to the account."""
        asked = self.submitting.requests.get(record.token)
        watched = self.submitting.watch.jobs.get(record.token)
        if asked and watched:
            self.account.add(record, asked.title, outcome, watched.used)

    def failure(self, record: Record, reason: str) -> str:
        """Why a job failed, with what the scheduler wrote of it and the end of its log."""
        parts = [
            reason,
            self.journal.scheduler_log(record),
            f"log of job {record.job_id}: {record.log}",
            *files.tail(Path(record.log)),
        ]
        return "\n    ".join(part for part in parts if part) + "\n"

    def delete(self, records: Sequence[Record]) -> None:
        """Delete jobs with one qdel."""
        self.logger.info(f"deleting {len(records)} jobs …")
        for record in records:
            try:
                self.journal.withdraw(record)
            except OSError as error:
                self.logger.error(f"{error.strerror}: {self.journal.folder(record)}")
            self.count(record, "deleted")
            self.submitting.watch.drop(record.token)
        whole = [record for record in records if not self.journal.is_shared(record)]
        if complaint := delete(whole, self.submitting.dialect):
            ids = " ".join(record.job_id or "" for record in records)
            self.logger.error(f"qdel {ids}: {complaint}; the next start deletes what is left")
