"""From what a job asks for to a job in the queue: its record, its script, its submission."""

import contextlib
import secrets
import time
from collections.abc import Callable, Iterable, Sequence
from concurrent.futures import ThreadPoolExecutor
from dataclasses import replace
from pathlib import Path
from types import ModuleType

from snakemake_interface_common.exceptions import WorkflowError

from . import files, packing, whose
from .hosts import Hosts
from .journal import Journal
from .record import Record
from .request import Request
from .settings import ExecutorSettings
from .submission import Script
from .submitter import Submitter
from .watch import Watch


class Submitting:
    """The submissions of one Snakemake.

    Args:
        is_ending: whether Snakemake does not want this job to be submitted any more.
        warn: is given a line for the user.
    """

    def __init__(
        self,
        settings: ExecutorSettings,
        dialect: ModuleType,
        journal: Journal,
        is_ending: Callable[[Record], bool],
        warn: Callable[[str], None],
    ) -> None:
        self.settings, self.dialect, self.journal = settings, dialect, journal
        self.warn = warn
        self.watch = Watch(
            dialect, journal, settings.poll, settings.grace, warn, settings.max_silence
        )
        self.submitter = Submitter(
            dialect,
            self.watch.in_queue,
            is_ending,
            journal.started_as,
            warn,
            settings.max_silence,
        )
        self.hosts = Hosts(settings.exclude, warn)
        self.requests: dict[str, Request] = {}  # by token, of all jobs in the queue
        # One submission at a time, and each to its end whatever happens to the other threads, which
        # go on while a job waits for the queue to take it.
        self.line = ThreadPoolExecutor(max_workers=1)
        self.unrecorded: list[Record] = []

    def open_record(
        self,
        asked: Request,
        key: str,
        digest: str,
        walltimes: int = 1,
        pack: Record | None = None,
    ) -> Record:
        """A record of a submission to come.

        Args:
            pack: that of the job of the scheduler which it shares with others.
        """
        record = self.record(asked, key, digest, walltimes)
        if pack:
            record = replace(record, name=pack.name, pack=pack.token)
            record = replace(record, queue=pack.queue, share=pack.share)
        return self.journal.open(record)

    def record(self, asked: Request, key: str, digest: str, walltimes: int) -> Record:
        token = f"{asked.name}-{secrets.token_hex(4)}"
        log = self.settings.logdir.absolute() / f"{token}.log"
        size = (asked.at(walltimes).seconds, asked.nodes, asked.tasks_per_node)
        record = Record(token, key, digest, str(log), *size, walltimes, owner=whose.me())
        name = whose.name_of(self.words(asked, record), token)
        queue = str(asked.resources.get("queue", ""))
        least = asked.least if asked.is_range else 0
        record = replace(record, queue=queue, share=float(asked.share), least=least)
        return replace(record, name=name, since=time.time())

    def pack_record(self, asked: Request) -> Record:
        """What a job of the scheduler that several share is known by; it is written nowhere."""
        record = self.record(asked, "", "", 1)
        return replace(record, pack=record.token)

    def words(self, asked: Request, record: Record) -> list[str]:
        """The submit line; the name in it is of this submission alone."""
        script, output = self.journal.script(record), self.journal.output(record)
        asked = asked.at(record.walltimes)
        asked = replace(asked, extra=(*asked.extra, *self.hosts.words()))
        return asked.words(self.settings, script, output, record.token)

    def write_script(
        self, asked: Request, record: Record, command: str, inputs: Iterable[str], latency: int
    ) -> None:
        """Write the job's script; where that fails there is no record of it either.

        Args:
            inputs: what must be seen on the node within `latency` seconds.
        """
        script = self.journal.script(record)
        try:
            text = self.script(asked, record, command, tuple(inputs), latency).text()
            files.write_whole(script, text)
            script.chmod(0o755)
        except OSError:
            self.journal.close(record)
            raise

    def script(
        self, asked: Request, record: Record, command: str, inputs: tuple[str, ...], latency: int
    ) -> Script:
        prelude = self.settings.prelude
        return Script(
            title=asked.title,
            workdir=Path.cwd(),
            ticket=self.journal.ticket(record),
            started=self.journal.started(record),
            host=self.journal.host(record),
            log=Path(record.log),
            marker=self.journal.marker(record),
            carry_on=self.journal.carry_on(record),
            seconds=asked.at(record.walltimes).program_seconds,
            nodes=self.nodes_in_job(asked),
            tasks_per_node=asked.tasks_per_node,
            job_id=self.dialect.JOB_ID_IN_JOB,
            hostfile=self.dialect.HOSTFILE,
            prelude=prelude.absolute() if prelude else None,
            exports=tuple(self.settings.export.replace(",", " ").split()),
            inputs=inputs,
            latency=latency,
            command=command,
        )

    def nodes_in_job(self, asked: Request) -> str:
        """Bash for the number of nodes that a job has."""
        if asked.is_range:
            return str(self.dialect.NODES_IN_JOB.format(slots_per_node=asked.slots_per_node))
        return str(asked.nodes)

    def submit(self, asked: Request, records: Sequence[Record], whole: Record) -> str:
        """Call qsub; the id of the job that it makes of one record, or of all that share it.

        Args:
            whole: what the scheduler's job is known by.

        Raises:
            WorkflowError: it was not submitted, or if it was, it will do nothing.
        """
        try:
            return self.submitter.place(self.words(asked, whole), whole)
        except WorkflowError:
            # Where qsub hung or broke off, the job may have started all the same.
            claimed = [self.journal.claim(record) for record in records]
            if job_id := next(filter(None, claimed), None):
                for record in records:
                    self.journal.keep(record)
                return job_id
            for record in records:
                self.journal.close(record)
            raise

    def write_pack(self, whole: Record, records: Sequence[Record]) -> None:
        """Write the script that starts those of several jobs; they have no records without it."""
        path = self.journal.script(whole)
        try:
            files.write_whole(path, packing.script(map(self.journal.script, records)))
            path.chmod(0o755)
        except OSError:
            for record in records:
                self.journal.close(record)
            raise

    def record_id(self, record: Record, job_id: str) -> Record:
        """Record an id; where that fails the job is watched all the same, and it is tried again."""
        record = replace(record, job_id=job_id, until=time.time())
        try:
            self.journal.write(record)
        except OSError as error:
            self.unrecorded.append(record)
            self.warn(
                f"job {job_id} ({record.name}) is submitted and watched, but cannot be recorded: "
                f"{error.strerror}: {self.journal.folder(record)}; until it is, do not kill this "
                "Snakemake with -9: the next would not know of it"
            )
        return record

    def record_again(self) -> None:
        for record in list(self.unrecorded):
            with contextlib.suppress(OSError):
                if record.token in self.watch.jobs:
                    self.journal.write(record)
                self.unrecorded.remove(record)

    def submitted(self, asked: Request, record: Record, job_id: str) -> Record:
        """Record the id of a job, and watch it: a Ctrl-C may come before Snakemake is told."""
        record = self.record_id(record, job_id)
        self.watch_on(asked, record)
        return record

    def watch_on(self, asked: Request, record: Record) -> None:
        self.requests[record.token] = asked
        self.watch.add(record, asked.walltimes)

    def end(self) -> None:
        """Submit no more, nor what waits for the queue; one that is being submitted is awaited."""
        self.submitter.stop()
        self.line.shutdown(wait=True, cancel_futures=True)
