"""What was submitted and has not ended, in files: a Snakemake that starts again finds its jobs."""

import contextlib
import json
import re
import shutil
import time
from collections.abc import Iterable
from dataclasses import asdict, replace
from pathlib import Path

from . import files
from .commands import plain
from .configs import Configs
from .layout import Layout
from .record import JOB_ID, Record, is_whole

HOST = re.compile(r"([A-Za-z0-9][A-Za-z0-9.-]*)(?: (\d{1,9}))?\n", re.ASCII)
MARKER = re.compile(r"(?:(?P<token>\S+) ended with )?(?P<code>\d{1,3})\n", re.ASCII)
SLACK = 60.0  # seconds that a file may be ahead of the file system's clock


class Journal(Layout):
    """The records of one working directory."""

    def __init__(self, folder: Path) -> None:
        super().__init__(folder)
        self.configs = Configs(folder / "config")
        self.damaged: list[Path] = []  # records that were found so
        self.folders = (self.jobs, self.markers, self.outputs, self.configs.folder)
        self._make()

    def _make(self) -> None:
        for path in self.folders:
            path.mkdir(parents=True, exist_ok=True)

    def mend(self, records: Iterable[Record]) -> bool:
        """Write again what someone removed of jobs in the queue; tell whether there was need to."""
        try:
            for path in self.folders:
                path.stat()
        except FileNotFoundError:
            self._make()
            self.configs.write_again()
            for record in records:
                self.folder(record).mkdir(mode=0o700, exist_ok=True)
                self.ticket(record).touch()
                self.write(record)
            return True
        return False

    def wants_more(self, record: Record) -> bool:
        with contextlib.suppress(OSError):
            return self.carry_on(record).is_file()
        return False

    def start_over(self, record: Record) -> None:
        """Forget how a job ended that the scheduler has put back into the queue."""
        files.remove(self.marker(record))

    def scheduler_log(self, record: Record) -> str:
        """What the scheduler itself wrote of a job, in one line."""
        with contextlib.suppress(OSError):
            return " ".join(plain(files.read(self.output(record))).split())
        return ""

    def open(self, record: Record) -> Record:
        """Record that a job is about to be submitted."""
        try:
            self.folder(record).mkdir(mode=0o700)  # the script holds exported variables
            self.ticket(record).touch()
            self.write(record)
        except OSError:
            files.remove(self.folder(record))
            raise
        return record

    def submitted(self, record: Record, job_id: str) -> Record:
        """Record the scheduler's id."""
        record = replace(record, job_id=job_id, until=time.time())
        self.write(record)
        return record

    def claim(self, record: Record) -> str | None:
        """The id of a job whose submission is in doubt, if it has started; else it never will.

        The script writes its id before it looks at its ticket, and here the ticket goes first: one
        of the two sees the other.
        """
        self._void(record)
        if job_id := self.started_as(record):
            self.ticket(record).touch()  # should the scheduler start it again
        return job_id

    def started_as(self, record: Record) -> str | None:
        """The id that the script has left, if it has started."""
        with contextlib.suppress(OSError):
            if told := JOB_ID.fullmatch(files.read(self.started(record), files.LINE)):
                return told[1]
        return None

    def ran_on(self, record: Record) -> tuple[str, int]:
        """The first node of a job that has started, else ""; and how many nodes it has."""
        with contextlib.suppress(OSError):
            if told := HOST.fullmatch(files.read(self.host(record), files.LINE)):
                return told[1], min(int(told[2] or 0), record.nodes) or record.nodes
        return "", record.nodes

    def keep(self, record: Record) -> None:
        """See to it that a job which is taken over finds its ticket when it starts."""
        with contextlib.suppress(OSError):
            self.ticket(record).touch()

    def withdraw(self, record: Record) -> None:
        """Record that a job is to be deleted; if it has not started, it does nothing any more."""
        try:
            self.write(replace(record, withdrawn=True))
        finally:
            self._void(record)

    def _void(self, record: Record) -> None:
        ticket = self.ticket(record)
        if ticket.is_dir():
            shutil.rmtree(ticket)
        with contextlib.suppress(FileNotFoundError, NotADirectoryError):
            ticket.unlink()

    def close(self, record: Record) -> None:
        """Forget a job that has ended; what cannot be removed now, the next start does."""
        for path in (self.ticket(record), self.folder(record), self.marker(record)):
            files.remove(path)

    def ended(self) -> dict[str, int]:
        """Exit codes by token, of the jobs whose scripts have ended: one look at one folder.

        Raises:
            OSError: it cannot be looked at now.
        """
        codes: dict[str, int] = {}
        for marker in self.markers.iterdir():
            with contextlib.suppress(OSError):
                code = self._code(marker)
                if code is not None:
                    codes[marker.name] = code
        return codes

    def _code(self, marker: Path) -> int | None:
        """The exit code in a marker; none where it is not the whole marker of this very job.

        The first version of this plugin wrote a bare number, which is believed of its jobs alone.
        """
        told = MARKER.fullmatch(files.read(marker, files.LINE))
        if not told or told["token"] not in (marker.name, None):
            return None
        if told["token"] is None and not self._is_of_first_version(marker.name):
            return None
        return int(told["code"])

    def _is_of_first_version(self, token: str) -> bool:
        record = self.read(self.jobs / token)
        return record is not None and record.since is None

    def is_shared(self, record: Record) -> bool:
        """Whether another job that is wanted is in the same job of the scheduler."""
        if not record.pack:
            return False
        ended = self.ended()
        there = filter(None, map(self.read, self.jobs.iterdir()))
        others = [each for each in there if each.pack == record.pack and each.token not in ended]
        return any(not each.withdrawn and each.token != record.token for each in others)

    def is_over(self, record: Record) -> bool:
        """Whether a withdrawn job can do nothing any more, whatever the scheduler says.

        It has no ticket: either it has not started, and will find none, or its walltime has passed.
        """
        try:
            began = self.started(record).stat().st_mtime
        except FileNotFoundError:
            return not self.ticket(record).exists()
        return files.now(self.jobs) - began > record.seconds + SLACK

    def write(self, record: Record) -> None:
        files.write_whole(self.folder(record) / "record.json", json.dumps(asdict(record)))

    def read(self, folder: Path) -> Record | None:
        """A job's record; None where there is none, or a damaged one.

        Raises:
            OSError: it is there and cannot be read: its job may run.
        """
        try:
            values = json.loads(files.read(folder / "record.json"))
            # Versions that did not record a job's name gave it this one.
            record = Record(**{"name": folder.name.rpartition("-")[0], **values})
        except (FileNotFoundError, NotADirectoryError):
            return None
        except (IsADirectoryError, ValueError, TypeError, RecursionError):
            self.damaged.append(folder / "record.json")
            return None
        if is_whole(record) and record.token == folder.name:
            return record
        self.damaged.append(folder / "record.json")
        return None
