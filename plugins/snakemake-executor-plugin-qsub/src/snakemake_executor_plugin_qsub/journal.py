"""What was submitted and has not ended, in files: a Snakemake that starts again finds its jobs.

jobs/TOKEN/record.json    one per job that may be in the queue
jobs/TOKEN/ticket         without it the job's script does nothing
jobs/TOKEN/started        the scheduler's id, written by the script before it looks at its ticket
jobs/TOKEN/TOKEN.sh       the script, whose name is the job's where a submit line gives none
ended/TOKEN               written by the script: "TOKEN ended with CODE"
output/TOKEN.log          what the scheduler itself printed; it may write it after the job's end
config/DIGEST.yaml        the configuration that jobs were submitted with
"""

import contextlib
import hashlib
import json
import re
import shutil
import time
from collections.abc import Iterable
from dataclasses import asdict, dataclass, fields, replace
from pathlib import Path
from typing import Any

from . import files
from .commands import plain

JOB_ID = re.compile(r"(\d+(?:\[\d*\])?(?:\.[\w.-]+)?)\n", re.ASCII)
MARKER = re.compile(r"(?:(?P<token>\S+) ended with )?(?P<code>\d{1,3})\n", re.ASCII)
SLACK = 60.0  # seconds that a file may be ahead of the file system's clock
WEEK = 7 * 24 * 3600
MOST = 1e10  # seconds, and jobs' numbers: till the year 2286


@dataclass(frozen=True)
class Record:
    """One submission.

    Args:
        key: rule and wildcards.
        digest: of what the job was made from: a job of another digest is not taken over.
        job_id: the scheduler's; None until qsub has told it.
        walltimes: how many walltimes the Snakemake job has begun, this one included.
        withdrawn: it was to be deleted; until it is gone it may still write and remove files.
        owner, name: under which the scheduler shows it.
        since, until: seconds since 1970; it was submitted in between.
    """

    token: str
    key: str
    digest: str
    log: str
    seconds: int
    nodes: int = 1
    tasks_per_node: int = 1
    walltimes: int = 1
    job_id: str | None = None
    withdrawn: bool = False
    owner: str = ""
    name: str = ""
    since: float | int | None = None
    until: float | int | None = None


class Journal:
    """The records of one working directory."""

    def __init__(self, folder: Path) -> None:
        self.root = folder
        self.jobs, self.markers = folder / "jobs", folder / "ended"
        self.outputs, self.configs = folder / "output", folder / "config"
        self.damaged: list[Path] = []  # records that were found so
        self.kept: dict[Path, str] = {}  # copies of configuration files
        self._make()

    def _make(self) -> None:
        for path in (self.jobs, self.markers, self.outputs, self.configs):
            path.mkdir(parents=True, exist_ok=True)

    def mend(self, records: Iterable[Record]) -> bool:
        """Write again what someone removed of jobs in the queue; tell whether there was need to."""
        try:
            for path in (self.jobs, self.markers, self.outputs, self.configs):
                path.stat()
        except FileNotFoundError:
            self._make()
            for copy, text in self.kept.items():
                files.write_whole(copy, text)
            for record in records:
                self.folder(record).mkdir(mode=0o700, exist_ok=True)
                self.ticket(record).touch()
                self.write(record)
            return True
        return False

    def folder(self, record: Record) -> Path:
        return self.jobs / record.token

    def ticket(self, record: Record) -> Path:
        return self.folder(record) / "ticket"

    def script(self, record: Record) -> Path:
        return self.folder(record) / f"{record.token}.sh"

    def started(self, record: Record) -> Path:
        return self.folder(record) / "started"

    def output(self, record: Record) -> Path:
        """Where the scheduler writes what it has to say itself."""
        return self.outputs / f"{record.token}.log"

    def carry_on(self, record: Record) -> Path:
        """Written by a program that stopped before the end of its walltime and can go on."""
        return self.folder(record) / "continue"

    def wants_more(self, record: Record) -> bool:
        with contextlib.suppress(OSError):
            return self.carry_on(record).is_file()
        return False

    def marker(self, record: Record) -> Path:
        return self.markers / record.token

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

    def keep_configs(self, given: Iterable[Path]) -> list[Path]:
        """Copies of configuration files as they are now, for jobs that start later."""
        copies = []
        for file in given:
            text = file.read_text()
            digest = hashlib.sha256(text.encode()).hexdigest()[:16]
            copies.append(self.configs / f"{digest}{file.suffix}")
            self.kept[copies[-1]] = text
            if not _holds(copies[-1], text):
                files.write_whole(copies[-1], text)
        return copies

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
        record = self._read(self.jobs / token)
        return record is not None and record.since is None

    def is_over(self, record: Record) -> bool:
        """Whether a withdrawn job can do nothing any more, whatever the scheduler says.

        It has no ticket: either it has not started, and will find none, or its walltime has passed.
        """
        try:
            began = self.started(record).stat().st_mtime
        except FileNotFoundError:
            return not self.ticket(record).exists()
        return files.now(self.jobs) - began > record.seconds + SLACK

    def left_over(self, since: float) -> list[Record]:
        """Jobs of an earlier Snakemake that may still be there; those that are not are closed.

        Args:
            since: jobs that ended later are found as well: Snakemake had seen the files by then.
        """
        ended, now = self.ended(), files.now(self.markers)
        recent = (since + now - time.time(), now + SLACK)
        found = []
        for folder in sorted(self.jobs.iterdir()):
            record = self._read(folder)
            if record is None:
                files.remove(folder / "record.json")
                record = self._remains(folder)
            if not record.job_id and (job_id := self.claim(record)):
                record = self.submitted(record, job_id)  # killed while qsub ran
            late = record.token in ended and self._ended_within(record, *recent)
            if record.job_id and (late or record.token not in ended):
                found.append(record)
            else:
                self.close(record)
        self._prune({record.token for record in found})
        return found

    def _ended_within(self, record: Record, first: float, last: float) -> bool:
        """Whether it ended then; a time to come tells nothing."""
        with contextlib.suppress(OSError):
            return first <= self.marker(record).stat().st_mtime <= last
        return False

    def _prune(self, kept: set[str]) -> None:
        """Remove what belongs to no job; the scheduler's output after a week."""
        for marker in self.markers.iterdir():
            if marker.name.removesuffix(".part") not in kept:
                files.remove(marker)
        for output in self.outputs.iterdir():
            with contextlib.suppress(OSError):
                if output.stat().st_mtime < time.time() - WEEK:
                    files.remove(output)

    def write(self, record: Record) -> None:
        files.write_whole(self.folder(record) / "record.json", json.dumps(asdict(record)))

    def _read(self, folder: Path) -> Record | None:
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

    @staticmethod
    def _remains(folder: Path) -> Record:
        """What is known of a job without its record: if it has started, it is to be deleted."""
        return Record(folder.name, "[]", "", "", WEEK, withdrawn=True, name=folder.name)


def is_whole(record: Record) -> bool:
    """Whether its values are such as we write; an id of other letters may be an option of qdel."""
    values: list[tuple[object, Any]]
    values = [(getattr(record, each.name), each.type) for each in fields(Record)]
    numbers = [value for value, _ in values if isinstance(value, int | float)]
    return (
        all(isinstance(value, form) for value, form in values)
        and all(0 <= number < MOST for number in numbers)  # nor NaN
        and (record.job_id is None or JOB_ID.fullmatch(f"{record.job_id}\n") is not None)
    )


def _holds(path: Path, text: str) -> bool:
    with contextlib.suppress(OSError, UnicodeDecodeError):
        return path.read_text() == text
    return False
