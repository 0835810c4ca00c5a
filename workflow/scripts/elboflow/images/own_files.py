"""The user's own files, none of which is trusted: which there are, and how their bytes are read.

Snakemake asks this while it plans, so that nothing here needs NumPy.
"""

import hashlib
import itertools
import os
import stat
from pathlib import Path

from elboflow.images.errors import BadData

PART_FOLDERS = ("train", "validation", "test")
MOST_FILE_BYTES = 1 << 32  # of a file, and of the arrays in it, that are read as a whole
MOST_PNG_BYTES = 1 << 27  # twice what the most pixels take without compression
MOST_CHARACTERS = 200  # of a name in a message
EXPECTED_FILES = "expected PNG files, or folders train, validation and test of them"


def printable(name: str | Path) -> str:
    """A name for a message of one line, whatever bytes it is made of."""
    text = os.fsencode(name).decode("utf-8", "backslashreplace")
    text = "".join(c if c.isprintable() else ascii(c)[1:-1] for c in text)
    half = MOST_CHARACTERS // 2
    return text if len(text) <= 2 * half else f"{text[:half]}...{text[-half:]}"


def refuse_unusual(path: Path) -> None:
    """Raise DataError unless this is a file or folder; to open a pipe may take for ever."""
    try:
        mode = path.stat().st_mode
    except (OSError, ValueError) as error:  # a name of the wrong kind is a ValueError
        if isinstance(error, PermissionError):
            raise BadData("may not be read; correct its permissions") from error
        raise BadData("no such file or folder") from error
    if not (stat.S_ISREG(mode) or stat.S_ISDIR(mode)):
        raise BadData("is a device or a pipe; name an ordinary file or a folder")


def refuse_large(path: Path) -> None:
    """Raise DataError if a file has more bytes than are read."""
    if (size := path.stat().st_size) > MOST_FILE_BYTES:
        raise BadData(_too_large(size, MOST_FILE_BYTES))


def _too_large(size: int, most: int) -> str:
    return f"has {size} bytes, more than the {most} that are read"


def read_unchanged(path: Path, most: int) -> bytes:
    """All bytes of a file, read once.

    Raises:
        DataError: there are more than `most`, or the file changed in the meantime.
        OSError: it cannot be read.
    """
    refuse_unusual(path)
    with path.open("rb") as stream:
        before = os.fstat(stream.fileno())
        if before.st_size > most:
            raise BadData(_too_large(before.st_size, most))
        try:
            content = stream.read(before.st_size + 1)
        except MemoryError as error:
            raise BadData(f"{before.st_size} bytes do not fit into memory") from error
    if len(content) != before.st_size or identity(path.stat()) != identity(before):
        raise BadData("changed while it was read; run again when nothing writes to it")
    return content


def identity(status: os.stat_result) -> tuple[int, ...]:
    """What differs, as far as the system tells, once a file is written or replaced."""
    times = (status.st_mtime_ns, status.st_ctime_ns)
    return (status.st_dev, status.st_ino, status.st_size, *times)


def png_files(folder: Path) -> dict[str, list[Path]]:
    """The files of each part, in the order of the bytes of their names.

    Hidden files (.DS_Store) are passed over.

    Raises:
        DataError: anything else lies there.
        OSError: a folder cannot be read.
    """
    entries = _entries(folder)
    if not any(entry.is_dir() and entry.name in PART_FOLDERS for entry in entries):
        parts = {"train": entries}
    else:
        for entry in entries:
            if not entry.is_dir() or entry.name not in PART_FOLDERS:
                raise BadData(
                    f"{printable(entry.name)} lies beside folders of images; {EXPECTED_FILES}"
                )
        parts = {name: _entries(folder / name) for name in PART_FOLDERS if (folder / name).is_dir()}
    if "train" not in parts:
        raise BadData(f"there is no folder train; {EXPECTED_FILES}")
    for part, found in parts.items():
        if not found:
            where = "the folder" if found is entries else f"the folder {part}"
            raise BadData(f"{where} is empty; {EXPECTED_FILES}")
        for entry in found:
            _refuse_other(entry, folder)
    return {part: [Path(entry.path) for entry in found] for part, found in parts.items()}


def _entries(folder: Path) -> list[os.DirEntry[str]]:
    with os.scandir(folder) as entries:
        shown = [entry for entry in entries if not entry.name.startswith(".")]
    return sorted(shown, key=lambda entry: os.fsencode(entry.name))


def _refuse_other(entry: os.DirEntry[str], folder: Path) -> None:
    name = printable(os.path.relpath(entry.path, folder))
    if not entry.name.lower().endswith(".png") or entry.is_dir():
        raise BadData(f"{name} is no PNG file; {EXPECTED_FILES}")
    if not entry.is_file():
        raise BadData(f"{name} is a link to nothing, a device or a pipe; {EXPECTED_FILES}")
    if (size := entry.stat().st_size) > MOST_PNG_BYTES:
        raise BadData(f"{name} {_too_large(size, MOST_PNG_BYTES)}")


def content_sha256(path: Path) -> str:
    """The digest of a file, or of all files of a folder; reads everything.

    That of a folder is the sha256 over one line for each file: see `digest_line`.
    """
    if not path.is_dir():
        with path.open("rb") as stream:
            return hashlib.file_digest(stream, "sha256").hexdigest()
    lines = hashlib.sha256()
    for file in itertools.chain.from_iterable(png_files(path).values()):
        lines.update(digest_line(path, file, read_unchanged(file, MOST_PNG_BYTES)))
    return lines.hexdigest()


def digest_line(folder: Path, file: Path, content: bytes) -> bytes:
    """The sha256 of a file, two blanks and its path in the folder."""
    name = os.fsencode(os.path.relpath(file, folder))
    return b"%s  %s\n" % (hashlib.sha256(content).hexdigest().encode(), name)
