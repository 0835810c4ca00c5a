"""State of the PBS stand-in: one JSON file per job in the folder named by PBS_STAND_IN.

A job is a dictionary. Its file is replaced as a whole, so that it can be read without the lock;
who changes a job reads and writes it under the lock.
"""

import fcntl
import json
import os
import re
import sys
import time
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path
from typing import Any, TextIO

Job = dict[str, Any]


class Refused(Exception):
    """What a command says on stderr and its exit code."""

    def __init__(self, message: str, code: int) -> None:
        super().__init__(message)
        self.code = code


def server() -> str:
    return os.environ.get("PBS_STAND_IN_SERVER", "es1")


def folder() -> Path:
    """Return the folder with the state; jobs/ in it exists."""
    path = Path(os.environ["PBS_STAND_IN"]).absolute()
    (path / "jobs").mkdir(parents=True, exist_ok=True)
    return path


def job_path(number: int, suffix: str) -> Path:
    return folder() / "jobs" / f"{number}.{suffix}"


@contextmanager
def locked() -> Iterator[None]:
    """Keep all other commands and supervisors from changing jobs."""
    with (folder() / "lock").open("w") as lock:
        fcntl.flock(lock, fcntl.LOCK_EX)
        yield


def log_call(command: str) -> None:
    """Append command, number of arguments and time [s since 1970] to calls.log."""
    with (folder() / "calls.log").open("a") as log:
        log.write(f"{command} {len(sys.argv) - 1} {time.time():.3f}\n")


def new_number() -> int:
    """Return the next job number; call it under the lock."""
    counter = folder() / "next_number"
    number = int(counter.read_text()) if counter.exists() else 0
    counter.write_text(str(number + 1))
    return number


def write(job: Job) -> None:
    path = job_path(job["number"], "json")
    new = path.with_suffix(f".new{os.getpid()}")
    new.write_text(json.dumps(job))
    new.replace(path)


def read(number: int) -> Job | None:
    """Return the job as it was last written; None if there is none of that number."""
    try:
        return json.loads(job_path(number, "json").read_text())
    except FileNotFoundError:
        return None


def remove(number: int) -> None:
    job_path(number, "json").unlink()


def numbers() -> list[int]:
    return sorted(int(path.stem) for path in (folder() / "jobs").glob("*.json"))


def parse_id(operand: str) -> tuple[str, int]:
    """Return id and number of `3.es1` or `3`."""
    match = re.fullmatch(r"(\d+)(\.[\w.-]+)?", operand)
    if match is None:
        raise Refused(f"illegally formed job identifier: {operand}", 1)
    return match[1] + (match[2] or f".{server()}"), int(match[1])


def find(operand: str) -> Job:
    """Return the job that an operand of qstat or qdel names."""
    job_id, number = parse_id(operand)
    job = read(number)
    if job is None or job["id"] != job_id:
        raise Refused(f"Unknown Job Id {job_id}", 153)
    return job


def keeps_history() -> bool:
    return not (folder() / "no-history").exists()


def refuse_history(job: Job) -> None:
    """Know nothing of a finished job where none are kept."""
    if job["state"] == "F" and not keeps_history():
        raise Refused(f"Unknown Job Id {job['id']}", 153)


def hold_alive_lock(number: int) -> TextIO:
    """Take the lock that shows a job has a living supervisor; it ends with its last holder."""
    lock = job_path(number, "alive").open("w")
    fcntl.flock(lock, fcntl.LOCK_EX)
    return lock


def is_alive(number: int) -> bool:
    """Tell whether the job's supervisor lives."""
    with job_path(number, "alive").open() as lock:
        try:
            fcntl.flock(lock, fcntl.LOCK_SH | fcntl.LOCK_NB)
        except BlockingIOError:
            return True
    return False
