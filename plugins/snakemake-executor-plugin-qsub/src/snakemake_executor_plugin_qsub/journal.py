"""What was submitted and has not ended, in files: a Snakemake that starts again finds its jobs.

jobs/TOKEN/record.json    one per job that may be in the queue
jobs/TOKEN/ticket         without it the job's script does nothing
jobs/TOKEN/job.sh         the script
ended/TOKEN               written by the script: its exit code
config/DIGEST.json        the configuration that jobs were submitted with
"""

import contextlib
import hashlib
import json
import shutil
from dataclasses import asdict, dataclass, replace
from pathlib import Path


@dataclass(frozen=True)
class Record:
    """One submission.

    Args:
        key: rule and wildcards.
        digest: of what the job was made from: a job of another digest is not taken over.
        job_id: the scheduler's; None until qsub has told it.
        walltimes: how many walltimes the Snakemake job has begun, this one included.
    """

    token: str
    key: str
    digest: str
    log: str
    seconds: int
    walltimes: int = 1
    job_id: str | None = None


class Journal:
    """The records of one working directory."""

    def __init__(self, folder: Path) -> None:
        self.jobs, self.markers, self.configs = folder / "jobs", folder / "ended", folder / "config"
        for path in (self.jobs, self.markers, self.configs):
            path.mkdir(parents=True, exist_ok=True)

    def folder(self, record: Record) -> Path:
        return self.jobs / record.token

    def ticket(self, record: Record) -> Path:
        return self.folder(record) / "ticket"

    def carry_on(self, record: Record) -> Path:
        """Written by a program that stopped before the end of its walltime and can go on."""
        return self.folder(record) / "continue"

    def marker(self, record: Record) -> Path:
        return self.markers / record.token

    def scheduler_log(self, record: Record) -> str:
        """What the scheduler itself wrote of a job, in one line."""
        with contextlib.suppress(OSError):
            text = (self.folder(record) / "scheduler.log").read_text(errors="replace")
            return " ".join(text.split())
        return ""

    def open(self, record: Record) -> Record:
        """Record that a job is about to be submitted."""
        self.folder(record).mkdir()
        self.ticket(record).touch()
        self._write(record)
        return record

    def submitted(self, record: Record, job_id: str) -> Record:
        """Record the scheduler's id."""
        record = replace(record, job_id=job_id)
        self._write(record)
        return record

    def close(self, record: Record) -> None:
        """Forget a job that ended or was withdrawn; should it start after all, it does nothing."""
        self.ticket(record).unlink(missing_ok=True)
        shutil.rmtree(self.folder(record), ignore_errors=True)
        self.marker(record).unlink(missing_ok=True)

    def keep_config(self, text: str) -> Path:
        """A file of a configuration, for jobs that start later."""
        path = self.configs / f"{hashlib.sha256(text.encode()).hexdigest()[:16]}.json"
        if not path.exists():
            _write_whole(path, text)
        return path

    def ended(self) -> dict[str, int]:
        """Exit codes by token, of the jobs whose scripts have ended: one look at one folder."""
        codes: dict[str, int] = {}
        for marker in self.markers.iterdir():
            if marker.suffix != ".part":
                # An empty or unreadable marker is looked at again.
                with contextlib.suppress(OSError, ValueError):
                    codes[marker.name] = int(marker.read_text())
        return codes

    def left_over(self) -> list[Record]:
        """Jobs of an earlier Snakemake that may still be in the queue; the others are closed."""
        ended, found = self.ended(), []
        for folder in sorted(self.jobs.iterdir()):
            record = self._read(folder)
            if record and record.job_id and record.token not in ended:
                found.append(record)
            else:  # ended meanwhile, or killed while qsub ran: without its ticket it does nothing
                (folder / "ticket").unlink(missing_ok=True)
                shutil.rmtree(folder, ignore_errors=True)
        kept = {record.token for record in found}
        for marker in self.markers.iterdir():
            if marker.name.removesuffix(".part") not in kept:
                marker.unlink(missing_ok=True)
        return found

    def _write(self, record: Record) -> None:
        _write_whole(self.folder(record) / "record.json", json.dumps(asdict(record)))

    @staticmethod
    def _read(folder: Path) -> Record | None:
        try:
            return Record(**json.loads((folder / "record.json").read_text()))
        except (OSError, ValueError, TypeError):
            return None


def _write_whole(path: Path, text: str) -> None:
    """Readers see all of a file or none of it."""
    part = path.with_suffix(".part")
    part.write_text(text)
    part.replace(path)
