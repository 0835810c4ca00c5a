"""What an earlier Snakemake left in the journal: jobs that may still be there, and mere files."""

import contextlib
import time
from pathlib import Path

from . import files
from .journal import SLACK, Journal
from .record import Record

WEEK = 7 * 24 * 3600


def left_over(journal: Journal, since: float) -> list[Record]:
    """Jobs of an earlier Snakemake that may still be there; those that are not are closed.

    Args:
        since: jobs that ended later are found as well: Snakemake had seen the files by then.
    """
    ended, now = journal.ended(), files.now(journal.markers)
    recent = (since + now - time.time(), now + SLACK)
    found = []
    for folder in sorted(journal.jobs.iterdir()):
        record = journal.read(folder)
        if record is None:
            files.remove(folder / "record.json")
            record = _remains(folder)
        if not record.job_id and (job_id := journal.claim(record)):
            record = journal.submitted(record, job_id)  # killed while qsub ran
        late = record.token in ended and _ended_within(journal.marker(record), *recent)
        if record.job_id and (late or record.token not in ended):
            found.append(record)
        else:
            journal.close(record)
    _prune(journal, {record.token for record in found})
    return found


def _ended_within(marker: Path, first: float, last: float) -> bool:
    """Whether a job ended then; a time to come tells nothing."""
    with contextlib.suppress(OSError):
        return first <= marker.stat().st_mtime <= last
    return False


def _prune(journal: Journal, kept: set[str]) -> None:
    """Remove what belongs to no job."""
    for marker in journal.markers.iterdir():
        if marker.name.removesuffix(".part") not in kept:
            files.remove(marker)


def _remains(folder: Path) -> Record:
    """What is known of a job without its record: if it has started, it is to be deleted."""
    return Record(folder.name, "[]", "", "", WEEK, withdrawn=True, name=folder.name)
