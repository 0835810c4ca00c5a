"""Small files on a shared file system: whole or not at all, and whatever may lie in their place."""

import contextlib
import os
import shutil
import tempfile
from pathlib import Path

LARGEST = 1_000_000  # bytes; a larger file is none of ours
LINE = 1000  # bytes; nor is a larger one of one line
TAIL = 40  # lines of a long log to print


def read(path: Path, most: int = LARGEST) -> str:
    """A file's text, in which a U+FFFD stands for what is none. A pipe does not hold us up.

    Args:
        most: bytes; what is longer is cut off.

    Raises:
        OSError: there is none, or none that can be read.
    """
    with open(path, "rb", opener=without_waiting) as file:
        return (file.read(most) or b"").decode(errors="replace")


def without_waiting(name: str, flags: int) -> int:
    return os.open(name, flags | os.O_NONBLOCK)


def write_whole(path: Path, text: str, part: Path | None = None) -> None:
    """Readers see all of a file or none of it; where it fails, as on a full disk, nothing is left.

    Args:
        part: where it is written first.

    Raises:
        OSError: with the file's name, which errors of a full disk do not have.
    """
    part = part or path.with_suffix(".part")
    try:
        with part.open("w") as file:
            file.write(text)
            file.flush()
            os.fsync(file.fileno())
        part.replace(path)
    except OSError as error:
        remove(part)
        raise OSError(error.errno, error.strerror, str(path)) from None


def remove(path: Path) -> None:
    """Remove what is there, be it a file or a folder, if that can be done."""
    with contextlib.suppress(OSError):
        if path.is_dir() and not path.is_symlink():
            shutil.rmtree(path, ignore_errors=True)
        else:
            path.unlink(missing_ok=True)


def now(folder: Path) -> float:
    """Seconds since 1970 by the clock that files in a folder get their times from."""
    with tempfile.TemporaryFile(dir=folder) as probe:
        return os.fstat(probe.fileno()).st_mtime


def tail(log: Path) -> list[str]:
    """The last lines of a log that may be very long."""
    try:
        with log.open("rb") as file:
            file.seek(max(0, log.stat().st_size - 65536))
            return file.read().decode(errors="replace").splitlines()[-TAIL:]
    except OSError as error:
        return [f"(cannot be read: {error.strerror})"]
