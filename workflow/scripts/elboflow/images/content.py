"""The digest of the user's own file or folder, computed when its content may have changed.

Snakemake compares times, and sees no change where an older file is moved to the place of another.
"""

import contextlib
import hashlib
import os
import time
from collections.abc import Iterator
from pathlib import Path

from elboflow.images.errors import BadData
from elboflow.images.own_files import content_sha256, identity, png_files, refuse_unusual

COARSE = 2 * 10**9  # nanoseconds that the clock of a file system may be behind


def known_sha256(path: Path, cache: Path) -> str:
    """The digest of the content: see `own_files.content_sha256`.

    It is kept in the folder `cache`, for as long as the system says that the files are the same.
    What is damaged there, or cannot be written, is computed again.

    Raises:
        DataError: this is no file or folder of images, or it changes while it is read.
        OSError: it cannot be read.
    """
    refuse_unusual(path)
    entry = cache / hashlib.sha256(os.fsencode(path.absolute())).hexdigest()[:32]
    before, changed = _state(path)
    if (kept := _read(entry, before)) is not None:
        return kept
    digest = content_sha256(path)
    if _state(path)[0] != before:
        raise BadData("changed while it was read; run again when nothing writes to it")
    if changed < time.time_ns() - COARSE:  # else another change might not show
        _write(entry, before, digest)
    return digest


def _state(path: Path) -> tuple[str, int]:
    """A digest of what the system says of all files, and when the last of them was changed."""
    lines, last = hashlib.sha256(), 0
    for file in _files(path):
        status = file.stat()
        lines.update(b"%s\n%s\n" % (os.fsencode(file), ascii(identity(status)).encode()))
        last = max(last, status.st_ctime_ns)
    return lines.hexdigest(), last


def _files(path: Path) -> Iterator[Path]:
    if not path.is_dir():
        yield path
    else:
        for files in png_files(path).values():
            yield from files


def _read(entry: Path, state: str) -> str | None:
    """The digest that was kept for this state, unless it is missing or damaged."""
    with contextlib.suppress(OSError, ValueError):
        if entry.is_file():
            with entry.open(encoding="ascii") as stream:
                digest = stream.read(64)
                if stream.read(66) == f" {_seal(state, digest)}\n":
                    return digest
    return None


def _write(entry: Path, state: str, digest: str) -> None:
    aside = entry.with_suffix(f".{os.getpid()}")
    with contextlib.suppress(OSError):
        entry.parent.mkdir(parents=True, exist_ok=True)
        try:
            aside.write_text(f"{digest} {_seal(state, digest)}\n", encoding="ascii")
            aside.replace(entry)
        finally:
            aside.unlink(missing_ok=True)


def _seal(state: str, digest: str) -> str:
    return hashlib.sha256(f"{state} {digest}".encode()).hexdigest()
