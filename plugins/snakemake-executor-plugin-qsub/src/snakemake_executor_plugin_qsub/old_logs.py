"""Logs of long ago, which each start removes."""

import contextlib
import re
from pathlib import Path

from . import files

OWN = re.compile(r"(?P<token>.+-[0-9a-f]{8})\.log")  # others may keep theirs in the same folder
DAY = 24 * 3600


def remove(folder: Path, days: float, jobs: Path) -> None:
    """Remove the logs in which nothing was written for so many days.

    Args:
        days: 0 keeps all.
        jobs: holds something of the name of each job that may still write.
    """
    if not days:
        return
    with contextlib.suppress(OSError):  # no reason not to start
        oldest = files.now(folder) - days * DAY
        for log in folder.iterdir():
            own = OWN.fullmatch(log.name)
            if not own or not log.is_file() or (jobs / own["token"]).exists():
                continue
            if log.stat().st_mtime < oldest:
                files.remove(log)
