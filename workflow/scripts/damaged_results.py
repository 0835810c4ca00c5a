"""Which results were damaged since they were written, so that Snakemake makes them again."""

import contextlib
import json
from collections.abc import Iterator
from pathlib import Path
from typing import Any

from whole_files import Damaged, recorded_sha256, verify, write_bytes

# What later stages read. Of the environment, the machine and the states no digests are recorded.
FOLDERS = ("runs", "data", "tables", "figures", "chapter")


def damaged(results: Path) -> list[Path]:
    """The results whose content is not what was written.

    One whose size, times and place on the disk are as when it was last found whole is not read.
    """
    memory = results / "state" / "verified.json"
    known, whole = _read(memory), {}
    found = []
    for path in _recorded(results):
        try:
            status = path.stat()
        except FileNotFoundError:  # Snakemake sees that by itself
            continue
        times = [status.st_mtime_ns, status.st_ctime_ns]
        stamp = [status.st_size, *times, status.st_ino, recorded_sha256(path)]
        if known.get(str(path)) == stamp or _is_whole(path):
            whole[str(path)] = stamp
        else:
            found.append(path)
    if whole != known:
        with contextlib.suppress(OSError):  # only to be faster next time
            write_bytes(memory, json.dumps(whole).encode())
    return found


def _recorded(results: Path) -> Iterator[Path]:
    """All results whose digests lie beside them."""
    records = [*results.glob(".*.sha256")]
    for folder in FOLDERS:
        records += (results / folder).rglob(".*.sha256")
    for record in sorted(records):
        yield record.with_name(record.name[1:].removesuffix(".sha256"))


def _is_whole(path: Path) -> bool:
    try:
        verify(path)
    except (Damaged, OSError):
        return False
    return True


def _read(memory: Path) -> dict[str, Any]:
    try:
        known = json.loads(memory.read_bytes())
    except (OSError, ValueError, RecursionError):
        return {}
    return known if isinstance(known, dict) else {}
