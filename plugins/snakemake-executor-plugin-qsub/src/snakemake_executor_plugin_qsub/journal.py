"""What was submitted and has not ended, in files: a Snakemake that starts again finds its jobs.

jobs/TOKEN/record.json    one per job that may be in the queue
jobs/TOKEN/ticket         without it the job's script does nothing
jobs/TOKEN/started        the scheduler's id, written by the script before it looks at its ticket
jobs/TOKEN/TOKEN.sh       the script, whose name is the job's where a submit line gives none
ended/TOKEN               written by the script: its token and its exit code
output/TOKEN.log          what the scheduler itself printed; it may write it after the job's end
config/DIGEST.yaml        the configuration that jobs were submitted with
"""

import contextlib
import hashlib
import json
import shutil
import time
from collections.abc import Iterable
from dataclasses import asdict, dataclass, replace
from pathlib import Path

from . import files
from .commands import plain

SLACK = 60.0  # seconds that a file may be ahead of the file system's clock
WEEK = 7 * 24 * 3600


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
    since: float | None = None
    until: float | None = None


class Journal:
    """The records of one working directory."""

    def __init__(self, folder: Path) -> None:
        self.root = folder
        self.jobs, self.markers = folder / "jobs", folder / "ended"
        self.outputs, self.configs = folder / "output", folder / "config"
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
                self._write(record)
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

    def scheduler_log(self, record: Record) -> str:
        """What the scheduler itself wrote of a job, in one line."""
        with contextlib.suppress(OSError):
            return " ".join(plain(files.read(self.output(record))).split())
        return ""

    def open(self, record: Record) -> Record:
        """Record that a job is about to be submitted."""
        self.folder(record).mkdir(mode=0o700)  # the script holds exported variables
        self.ticket(record).touch()
        self._write(record)
        return record

    def submitted(self, record: Record, job_id: str) -> Record:
        """Record the scheduler's id."""
        record = replace(record, job_id=job_id, until=time.time())
        self._write(record)
        return record

    def claim(self, record: Record) -> str | None:
        """The id of a job whose submission is in doubt, if it has started; else it never will.

        The script writes its id before it looks at its ticket, and here the ticket goes first: one
        of the two sees the other.
        """
        self.ticket(record).unlink(missing_ok=True)
        with contextlib.suppress(OSError):
            if job_id := self.started(record).read_text().strip():
                self.ticket(record).touch()  # should the scheduler start it again
                return job_id
        return None

    def withdraw(self, record: Record) -> None:
        """Record that a job is to be deleted; if it has not started, it does nothing any more."""
        self._write(replace(record, withdrawn=True))
        self.ticket(record).unlink(missing_ok=True)

    def close(self, record: Record) -> None:
        """Forget a job that has ended."""
        self.ticket(record).unlink(missing_ok=True)
        shutil.rmtree(self.folder(record), ignore_errors=True)
        self.marker(record).unlink(missing_ok=True)

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
            if marker.suffix != ".part":
                with contextlib.suppress(OSError, ValueError):
                    codes[marker.name] = int(files.read(marker))
        return codes

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
        ended, found = self.ended(), []
        for folder in sorted(self.jobs.iterdir()):
            record = self._read(folder)
            if record and not record.job_id and (job_id := self.claim(record)):
                record = self.submitted(record, job_id)  # killed while qsub ran
            late = record and record.token in ended and self._ended_after(record, since)
            if record and record.job_id and (late or record.token not in ended):
                found.append(record)
            else:
                (folder / "ticket").unlink(missing_ok=True)
                shutil.rmtree(folder, ignore_errors=True)
        self._prune({record.token for record in found})
        return found

    def _ended_after(self, record: Record, since: float) -> bool:
        with contextlib.suppress(OSError):
            return self.marker(record).stat().st_mtime >= since
        return False

    def _prune(self, kept: set[str]) -> None:
        """Remove what belongs to no job; the scheduler's output after a week."""
        for marker in self.markers.iterdir():
            if marker.name.removesuffix(".part") not in kept:
                marker.unlink(missing_ok=True)
        for output in self.outputs.iterdir():
            if output.stat().st_mtime < time.time() - WEEK:
                output.unlink(missing_ok=True)

    def _write(self, record: Record) -> None:
        files.write_whole(self.folder(record) / "record.json", json.dumps(asdict(record)))

    @staticmethod
    def _read(folder: Path) -> Record | None:
        try:
            values = json.loads((folder / "record.json").read_text())
            # Versions that did not record a job's name gave it this one.
            return Record(**{"name": folder.name.rpartition("-")[0], **values})
        except (FileNotFoundError, NotADirectoryError, ValueError, TypeError):
            return None


def _holds(path: Path, text: str) -> bool:
    with contextlib.suppress(OSError, UnicodeDecodeError):
        return path.read_text() == text
    return False
