"""One job at a time on a state, and on what is made: whoever else comes is told who is there."""

import errno
import fcntl
import os
import socket
import sys
import time
from pathlib import Path
from typing import IO

from elboflow.files.whole import naming

# What file systems without locks answer.
NO_LOCKS = (errno.ENOLCK, errno.EOPNOTSUPP, errno.ENOSYS)
SECONDS_TO_WAIT = 10.0  # for a job whose driver was killed, and which is just ending
_held: list[IO[str]] = []


class InUse(ValueError):
    """Another job works on this."""


def hold(folder: Path, results: Path) -> None:
    """Take the lock of a folder for the rest of this process's life.

    Args:
        results: the folder of what this process makes, which others are told.

    Raises:
        InUse: with the process and the host that have it, and for what.
    """
    folder.mkdir(parents=True, exist_ok=True)
    file = (folder / ".lock").open("a+")
    try:
        _lock(file, time.monotonic() + SECONDS_TO_WAIT)
    except BlockingIOError:
        file.seek(0)
        holder = file.read().strip() or "another process"
        raise InUse(
            f"{folder} is being worked on by {holder}: wait for its end, or end it, and start again"
        ) from None
    except OSError as error:
        if error.errno not in NO_LOCKS:
            raise
        warning = f"{folder}: no locks on this file system, so start no other job on it"
        print(warning, file=sys.stderr, flush=True)
        return
    with naming(folder / ".lock"):
        file.truncate(0)
        file.write(f"process {os.getpid()} on host {socket.gethostname()} for {results}\n")
        file.flush()
    _held.append(file)


def is_held(folder: Path) -> bool:
    """Whether a job works on a folder now; not known where there are no locks."""
    try:
        with (folder / ".lock").open() as file:
            fcntl.flock(file, fcntl.LOCK_SH | fcntl.LOCK_NB)
    except BlockingIOError:
        return True
    except OSError:
        return False
    return False


def _lock(file: IO[str], deadline: float) -> None:
    """Lock a file; raises BlockingIOError where it stays locked until then."""
    while True:
        try:
            return fcntl.flock(file, fcntl.LOCK_EX | fcntl.LOCK_NB)
        except BlockingIOError:
            if time.monotonic() > deadline:
                raise
            time.sleep(0.2)
