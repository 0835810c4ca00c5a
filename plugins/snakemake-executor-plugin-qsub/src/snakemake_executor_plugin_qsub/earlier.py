"""The jobs of a Snakemake that was killed: which to take over, and which to see gone first."""

import json
import re
import time
from collections.abc import Callable, Iterable, Mapping, Sequence
from types import ModuleType

from snakemake_interface_common.exceptions import WorkflowError

from .commands import Answer, ask, chunks
from .journal import Journal
from .left_over import left_over
from .record import Record
from .request import Request
from .silence import Silence, said, unread
from .status import State, Status
from .submission import clock

CONFIRM = 3.0  # seconds between two questions
PATIENCE = 180.0  # seconds for deleted jobs to be gone: some sites grant a minute after the warning
# A job that has ended meanwhile, or is about to; and Grid Engine's word for each that it deletes.
HARMLESS = re.compile(
    r"has finished|Unknown Job|does not exist|registered the job|has deleted job"
    r"|already in deletion|Request invalid for state of job"
)
ASKS = re.compile(r"\?\s*$|\by(es)?/n", re.IGNORECASE | re.MULTILINE)  # and hears nothing
STARTED = time.time()  # of this Snakemake, before it looks at any file


def delete(records: Iterable[Record], dialect: ModuleType) -> str:
    """One qdel for all jobs that the scheduler shows to be ours; what stood in the way."""
    there = [record for record in records if record.job_id]
    statuses: dict[str, Status] = {}
    for pause in (CONFIRM, 0.0):  # one answer may be wrong
        statuses |= dialect.query([each for each in there if not listed(each, statuses)], ask)
        if pause and not all(listed(each, statuses) for each in there):
            time.sleep(pause)
        else:
            break
    complaint = qdel([record for record in there if listed(record, statuses)])
    unsure = [record.job_id or "" for record in there if record.job_id not in statuses]
    if unsure:
        doubt = f"{dialect.NAME} does not show whose jobs {' '.join(unsure)} are: left alone"
        return f"{doubt}; {complaint}" if complaint else doubt
    return complaint


def listed(record: Record, statuses: Mapping[str, Status]) -> bool:
    """Whether it is shown to be ours, waiting or running."""
    status = statuses.get(record.job_id or "")
    return status is not None and not status.is_gone


def qdel(records: Iterable[Record]) -> str:
    """Delete jobs, all with one qdel; what it complained of."""
    complaints = []
    for chunk in chunks(dict.fromkeys(record.job_id for record in records if record.job_id)):
        answer = ask(["qdel", *chunk])
        if answer.exit_code or ASKS.search(answer.said):
            lines = (answer.stderr or answer.stdout).splitlines()
            complaints += [line for line in lines if line.strip() and not HARMLESS.search(line)]
    return "; ".join(complaints)


def members(key: str) -> set[str]:
    """Rule and wildcards of each job of a group."""
    try:
        return set(json.loads(key))
    except (ValueError, TypeError):
        return {key}


class Earlier:
    """Records that an earlier Snakemake left in the journal.

    Args:
        tell: is given a line for the user.
    """

    def __init__(self, journal: Journal, dialect: ModuleType, tell: Callable[[str], None]) -> None:
        self.journal, self.dialect, self.tell = journal, dialect, tell
        self.answers: list[Answer] = []  # the last
        self.silence = Silence(tell, time.monotonic)
        found = left_over(journal, STARTED)
        for path in journal.damaged:
            tell(f"{path} is damaged: if its job has started it is deleted, else it does nothing")
        self.statuses = self._ask(found) if found else {}
        gone = [each for each in found if self._is_gone(each)]
        if gone:  # one answer may be wrong
            time.sleep(CONFIRM)
            again = self._ask(gone)
            self.statuses |= again
            gone = [each for each in gone if each.job_id in again and self._is_gone(each)]
        ended = journal.ended()
        for record in [each for each in gone if each.token not in ended]:
            self._close(record)
            found.remove(record)
        self.see_gone([record for record in found if record.withdrawn])
        self.records = [record for record in found if not record.withdrawn]

    def take(self, key: str, digest: str, asked: Request) -> Record | None:
        """The job that computes what is asked for; others of its files are deleted first."""
        touching = [each for each in self.records if members(key) & members(each.key)]
        taken = None
        for record in touching:
            if self._is_anothers(record):
                self._close(record)
            elif record.key == key and record.digest == digest and self._suits(record, asked):
                taken = record
                self.journal.keep(record)
            else:
                self.tell(f"job {record.job_id} ({asked.title}) is not what is wanted: deleting it")
                self.journal.withdraw(record)
                self.see_gone([record])
            self.records.remove(record)  # not before: while it is there, no other may be submitted
        return taken

    def see_gone(self, records: list[Record]) -> None:
        """Delete jobs and wait: one that is being killed removes files, as the next makes them.

        Raises:
            WorkflowError: they do not go.
        """
        there, until = list(records), time.monotonic() + PATIENCE
        asked: set[str] = set()  # tokens of those that qdel was asked for
        complaint, ids = "", ", ".join(record.job_id or "" for record in there)
        if there:
            self.tell(f"waiting for deleted jobs to be gone: {ids}")
        while there:
            ended, statuses = self.journal.ended(), self._ask(there)
            ours = [
                each
                for each in there
                if listed(each, statuses)
                and each.token not in asked
                and not self.journal.is_shared(each)  # which ends by itself, its ticket gone
            ]
            complaint = qdel(ours) or complaint
            asked |= {each.token for each in ours}
            for record in list(there):
                status = statuses.get(record.job_id or "")
                over = record.pack and self.journal.is_over(record)
                if record.token in ended or over or (status and status.is_gone):
                    self.journal.close(record)
                    there.remove(record)
            if there and time.monotonic() > until:
                there = self._end_of_patience(there, statuses, complaint)
            time.sleep(1.0 if there else 0.0)

    def _end_of_patience(
        self, records: list[Record], statuses: Mapping[str, Status], complaint: str
    ) -> list[Record]:
        """Nothing is left to wait for, if those not heard of can do nothing any more.

        Raises:
            WorkflowError: some jobs do not go.
        """
        silent = [each for each in records if each.job_id not in statuses]
        for record in [each for each in silent if self.journal.is_over(each)]:
            self.journal.close(record)
            records.remove(record)
        if not records:
            return []
        ids = ", ".join(record.job_id or "" for record in records)
        if any(record.job_id in statuses for record in records):
            raise WorkflowError(
                f"jobs {ids} are to be deleted and still there ({complaint or 'see qstat'}): "
                "start again when they are gone"
            )
        raise WorkflowError(
            f"jobs {ids} are to be deleted, and {self.dialect.NAME} gives no answer that can be "
            f"read on whether they are gone ({said(self.answers)}): start again when qstat works; "
            f"or, if they are surely gone, remove their folders in {self.journal.jobs} first"
        )

    def _suits(self, record: Record, asked: Request) -> bool:
        """Whether to keep a job that was submitted with other resources: if it runs, yes."""
        submitted = (record.tasks_per_node, record.seconds)
        least, given = asked.least or asked.nodes, record.least or record.nodes
        is_within = least <= given and record.nodes <= asked.nodes
        if is_within and submitted == (asked.tasks_per_node, asked.at(record.walltimes).seconds):
            return True
        status = self._status(record)
        if status is None or status.state is not State.RUNNING:
            return False
        self.tell(
            f"job {record.job_id} runs as it was submitted: {record.nodes} nodes x "
            f"{record.tasks_per_node} tasks, walltime {clock(record.seconds)}"
        )
        return True

    def _is_anothers(self, record: Record) -> bool:
        """Whether its number is another job's now; asked anew where there was no answer yet."""
        if record.job_id not in self.statuses:
            self.statuses |= self._ask([record])
        status = self._status(record)
        return status is not None and status.is_anothers

    def _close(self, record: Record) -> None:
        """Forget a job that is gone."""
        status = self._status(record)
        if status and status.is_anothers:
            self.tell(f"job {record.job_id} of an earlier Snakemake is gone: {status.words}")
        self.journal.close(record)

    def _status(self, record: Record) -> Status | None:
        return self.statuses.get(record.job_id or "")

    def _is_gone(self, record: Record) -> bool:
        status = self._status(record)
        return status is not None and status.is_gone

    def _ask(self, records: Iterable[Record]) -> dict[str, Status]:
        self.answers.clear()
        asked = [record for record in records if record.job_id]
        statuses: dict[str, Status] = self.dialect.query(asked, self._listen)
        unheard = [record.job_id or "" for record in asked if record.job_id not in statuses]
        if unheard:
            self.silence.goes_on(unread(self.dialect.NAME, unheard, self.answers))
        else:
            self.silence.ends(f"{self.dialect.NAME} answers again")
        return statuses

    def _listen(self, words: Sequence[str]) -> Answer:
        self.answers.append(ask(words))
        return self.answers[-1]
