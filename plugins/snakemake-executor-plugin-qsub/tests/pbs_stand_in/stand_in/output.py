"""Where the output of a job of the PBS stand-in goes, while it runs and when it has ended."""

import shutil
from pathlib import Path

from stand_in import state
from stand_in.state import Job

SPOOLED = {"o": "OU", "e": "ER"}
ATTRIBUTE = {"o": "output_path", "e": "error_path"}


def destination(job: Job, kind: str) -> Path:
    """Return the file that the user asked for; in a folder it is named after the job id."""
    given = job[ATTRIBUTE[kind]].partition(":")[2]
    is_folder = given.endswith("/") or Path(given).is_dir()
    return Path(given, f"{job['id']}.{SPOOLED[kind]}") if is_folder else Path(given)


def place(job: Job, kind: str) -> Path:
    """Return the file that the running job writes: the spool, or what -k says."""
    if kind in job["keep"] and "d" in job["keep"]:
        return destination(job, kind)
    if kind in job["keep"]:
        return Path(job["home"], f"{job['name']}.{kind}{job['number']}")
    return state.job_path(job["number"], SPOOLED[kind])


def written_to(job: Job) -> tuple[Path, Path]:
    """Return the files for stdout and stderr, the same one where -j joins them."""
    joined = {"oe": ("o", "o"), "eo": ("e", "e")}.get(job["join"], ("o", "e"))
    return place(job, joined[0]), place(job, joined[1])


def deliver(job: Job) -> bool:
    """Move spooled output to its destination; what cannot be moved stays in the spool."""
    delivered = True
    for kind, suffix in SPOOLED.items():
        spooled = state.job_path(job["number"], suffix)
        if spooled.exists():
            try:
                shutil.copyfile(spooled, destination(job, kind))  # no mode: it may be /dev/null
                spooled.unlink()
            except OSError:
                delivered = False
    return delivered
