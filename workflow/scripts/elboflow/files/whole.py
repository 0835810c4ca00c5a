"""Files that are there whole or not at all, and results that tell when they were damaged.

Beside each result lies its digest, as .NAME.sha256 in the form of sha256sum.
"""

import contextlib
import errno
import glob
import hashlib
import os
import shutil
from collections.abc import Iterator
from pathlib import Path
from typing import BinaryIO

HOST = os.uname().nodename
# What to do about an error of the system.
ADVICE = {
    errno.ENOSPC: "make room on that disk",
    errno.EDQUOT: "delete what is not needed there, or ask for a larger quota",
    errno.EFBIG: "raise the limit on the size of files (ulimit -f)",
    errno.EROFS: "work on a disk that can be written to",
    errno.EACCES: "correct the permissions of the file and its folder",
    errno.EPERM: "correct the permissions of the file and its folder",
    errno.EIO: "the disk or its server fails: see the system's log, or work on another one",
    errno.ENAMETOOLONG: "give the run, the data set or the folder a shorter name",
    errno.EISDIR: "move the folder of that name away",
    errno.ENOTDIR: "move the file away that stands where a folder must be",
}


class Damaged(ValueError):
    """A result whose content is not what was written."""


def in_words(error: OSError, path: str | Path | None = None) -> str:
    """An error of the system in one line: what, which file, what to do.

    Args:
        path: the file, where the error does not say it.
    """
    if error.errno is None:
        return str(error)
    reason = os.strerror(error.errno)
    place = error.filename2 or error.filename or path
    told = f"{reason[0].lower()}{reason[1:]}{f': {place}' if place else ''}"
    advice = ADVICE.get(error.errno)
    return f"{told}; {advice} and start again" if advice else told


@contextlib.contextmanager
def naming(path: Path) -> Iterator[None]:
    """Let the system's errors say which file they are of, which those of a write do not."""
    try:
        yield
    except OSError as error:
        if error.errno is None or error.filename is not None:
            raise
        raise OSError(error.errno, os.strerror(error.errno), str(path)) from error


@contextlib.contextmanager
def whole(path: Path, recorded: bool = False) -> Iterator[BinaryIO]:
    """Write a file under a temporary name, sync it, and rename it: readers see all or nothing.

    Args:
        recorded: whether to leave the digest of its content beside it.

    Raises:
        OSError: names the file; what was written of it is removed.
    """
    aside = path.with_name(f".{path.name}.{HOST}.{os.getpid()}.part")
    try:
        path.parent.mkdir(parents=True, exist_ok=True)
        if recorded:
            remove_left_over(path.parent)
        with aside.open("wb") as file:
            yield file
            file.flush()
            os.fsync(file.fileno())
        if recorded:  # first: a result without its own digest would pass for damaged
            write_bytes(record_of(path), f"{sha256(aside)}  {path.name}\n".encode())
        aside.replace(path)
    except OSError as error:
        # None, or another file that is written inside of this one.
        if error.errno is None or error.filename not in (None, str(aside)):
            raise
        raise OSError(error.errno, os.strerror(error.errno), str(path)) from error
    finally:
        with contextlib.suppress(OSError):
            aside.unlink()


def write_bytes(path: Path, content: bytes) -> None:
    """Write a file that is there whole or not at all."""
    with whole(path) as file:
        file.write(content)


def write_result(path: str | Path, content: bytes) -> None:
    """Write what a later stage reads, with its digest beside it."""
    with whole(Path(path), recorded=True) as file:
        file.write(content)


def record_of(path: Path) -> Path:
    """Where the digest of a result lies."""
    return path.with_name(f".{path.name}.sha256")


def sha256(path: Path) -> str:
    """The sha256 of a file's content."""
    with path.open("rb") as file:
        return hashlib.file_digest(file, "sha256").hexdigest()


def recorded_sha256(path: Path) -> str | None:
    """What the sha256 of a result should be; None where nobody wrote it down."""
    try:
        return record_of(path).read_bytes().partition(b" ")[0].decode("ascii", "replace")
    except FileNotFoundError:
        return None


def verify(path: str | Path) -> None:
    """Refuse a result whose content is not what was written; raises Damaged."""
    path = Path(path)
    expected = recorded_sha256(path)
    if expected is not None and sha256(path) != expected:
        raise Damaged(
            f"{path}: damaged, its content is not what was written; start Snakemake again, which "
            "makes it anew"
        )


def set_aside(path: Path) -> None:
    """Rename what cannot be used, be it a folder, in place of what was set aside before."""
    aside = path.with_suffix(".damaged")
    if aside.is_dir() and not aside.is_symlink():
        shutil.rmtree(aside)
    else:
        aside.unlink(missing_ok=True)
    path.rename(aside)


def remove_left_over(folder: Path) -> None:
    """Remove what killed processes of this host left half written in a folder."""
    for aside in folder.glob(f".*.{glob.escape(HOST)}.*.part"):
        process = aside.name.split(".")[-2]
        if process.isdigit() and not _lives(int(process)):
            with contextlib.suppress(OSError):
                aside.unlink()


def _lives(process: int) -> bool:
    try:
        os.kill(process, 0)
    except ProcessLookupError:
        return False
    except (PermissionError, OverflowError):
        return True
    return True
