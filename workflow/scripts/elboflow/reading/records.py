"""What Snakemake, and the qsub executor, leave of jobs that have not ended well, in .snakemake.

incomplete/BASE64         a marker for each output of a job that was begun and has not ended
qsub/jobs/*/record.json   a job that may be in the queue, in the executor's journal
log/*.snakemake.log       what Snakemake printed; of interest are the jobs that failed

All may be torn, foreign or gone: what cannot be read says nothing.
"""

import base64
import contextlib
import json
import os
import re
import time
from pathlib import Path
from typing import Any, NamedTuple

LARGEST = 1_000_000  # bytes; of a log the last ones
LAST_LOGS = 10  # of Snakemake, in which failures are looked for
LONGEST_NAME = 254  # bytes of a marker's name; what is left goes into a folder of the first part
JOB_ID = re.compile(r"[A-Za-z0-9_.\[\]-]{1,64}")
FAILED = re.compile(
    r"^\[(?P<when>.{24})\]\nError in rule .*:\n(?:    .*\n)*?    output: (?P<output>.*)\n",
    re.MULTILINE,
)


class Begun(NamedTuple):
    """A job that was begun, or submitted, and has not ended as far as anybody knows.

    since: seconds since 1970.
    job_id: the scheduler's; empty of a job that no queue has.
    """

    since: float
    job_id: str


class Records:
    """The records of one working directory.

    Args:
        folder: Snakemake's own, .snakemake.
    """

    def __init__(self, folder: Path) -> None:
        self.folder = folder
        self.failures = self._failures()
        self.queue = self._queue()

    def begun(self, rule: str, wildcards: dict[str, str], output: Path) -> Begun | None:
        """What is known of the job that makes a file, if it has begun."""
        queued = self.queue.get((rule, *sorted(wildcards.items())))
        marker = self._marker(output)
        try:
            since = marker.stat().st_mtime
        except OSError:
            return queued
        if queued:
            return queued._replace(since=max(since, queued.since))
        return Begun(since, _job_id(read_json(marker).get("external_jobid")))

    def failed_at(self, output: Path) -> float | None:
        """When a job that makes a file failed last, at the latest: logs tell whole seconds."""
        return self.failures.get(str(output))

    def _marker(self, output: Path) -> Path:
        name = base64.urlsafe_b64encode(os.fsencode(output)).decode()
        parts = [name[at : at + LONGEST_NAME] for at in range(0, len(name), LONGEST_NAME)]
        return self.folder.joinpath("incomplete", *(f"@{part}" for part in parts[:-1]), parts[-1])

    def _failures(self) -> dict[str, float]:
        """By output, when the job that makes it failed last."""
        found: dict[str, float] = {}
        for log in sorted(self.folder.glob("log/*.snakemake.log"))[-LAST_LOGS:]:
            for failed in FAILED.finditer(tail(log)):
                with contextlib.suppress(ValueError, OverflowError):
                    when = time.mktime(time.strptime(failed["when"])) + 1
                    found |= dict.fromkeys(failed["output"].split(", "), when)
        return found

    def _queue(self) -> dict[tuple[Any, ...], Begun]:
        """By rule and wildcards, the jobs of the qsub executor's journal that are not withdrawn."""
        found: dict[tuple[Any, ...], Begun] = {}
        for path in sorted(self.folder.glob("qsub/jobs/*/record.json")):
            record = read_json(path)
            job_id = _job_id(record.get("job_id"))
            if not job_id or record.get("withdrawn"):
                continue
            with contextlib.suppress(ValueError, TypeError, LookupError, RecursionError):
                for member in json.loads(record["key"]):
                    rule, wildcards = json.loads(member)
                    found[(rule, *map(tuple, wildcards))] = Begun(path.stat().st_mtime, job_id)
        return found


def _job_id(told: object) -> str:
    return told if isinstance(told, str) and JOB_ID.fullmatch(told) else ""


def tail(path: Path) -> str:
    """The last part of a text that may be anybody's; nothing where it cannot be read."""
    try:
        with open(path, "rb", opener=_without_waiting) as file:
            file.seek(max(0, os.fstat(file.fileno()).st_size - LARGEST))
            return (file.read(LARGEST) or b"").decode(errors="replace")
    except (OSError, ValueError):
        return ""


def read_json(path: Path) -> dict[str, Any]:
    """A JSON object; an empty one where there is none, or none that can be read."""
    try:
        found = json.loads(tail(path))
    except (ValueError, RecursionError):
        return {}
    return found if isinstance(found, dict) else {}


def _without_waiting(name: str, flags: int) -> int:
    """Opens a pipe that nobody writes into as well."""
    return os.open(name, flags | os.O_NONBLOCK)
