"""Which results were damaged since they were written, so that Snakemake makes them again."""

import contextlib
import json
from collections.abc import Iterator, Sequence
from pathlib import Path
from typing import Any

from elboflow.files.json_object import read_object
from elboflow.files.whole import Damaged, recorded_sha256, verify, write_bytes

# Where an experiment's results lie that later stages read, at most three folders deep. Of the
# environment, the machine and the states no digests are recorded. Unlike `**`, `*` follows links to
# folders.
FOLDERS = ("runs", "tables", "figures", "chapter")
DEPTHS = ("", "*/", "*/*/")
GONE: list[Any] = []


def damaged(experiment: Path, data: Path) -> list[Path]:
    """The results of an experiment, and its data sets, whose content is not what was written.

    One whose size, times and place on the disk are as when it was last found whole is not read. One
    that was found damaged stays so until it is there and whole: where its job fails, Snakemake has
    deleted it, and misses it no more than any file of which all that follows is there.
    """
    memory = experiment / ".verified.json"
    known = read_object(memory)
    before = [Path(name) for name, stamp in known.items() if stamp is None]
    recorded = [*_recorded(experiment), *_recorded(data, [""])]
    states = {str(path): _state(path, known) for path in sorted({*recorded, *before})}
    now = {name: stamp for name, stamp in states.items() if stamp != GONE}
    if now != known:
        with contextlib.suppress(OSError):  # only to be faster next time
            write_bytes(memory, json.dumps(now).encode())
    return [Path(name) for name, stamp in now.items() if stamp is None]


def _state(path: Path, known: dict[str, Any]) -> list[Any] | None:
    """The stamp of a result that is whole; GONE for one that was deleted, None if it is damaged."""
    before = known.get(str(path), GONE)
    try:
        stamp = _stamp(path)
    except FileNotFoundError:  # Snakemake sees to that by itself
        return None if before is None else GONE
    except OSError:  # something else stands in the place of the file or of its digest
        return None
    return stamp if stamp == before or _is_whole(path) else None


def says(path: str, expected: dict[str, Any]) -> bool:
    """Whether a file of JSON says just that."""
    return read_object(Path(path)) == expected


def _recorded(place: Path, folders: Sequence[str] = FOLDERS) -> Iterator[Path]:
    """All files in a place and in these of its folders whose digests lie beside them."""
    records = [*place.glob(".*.sha256")]
    for folder in folders:
        for depth in DEPTHS:
            records += (place / folder).glob(f"{depth}.*.sha256")
    for record in sorted(records):
        yield record.with_name(record.name[1:].removesuffix(".sha256"))


def _stamp(path: Path) -> list[Any]:
    """What changes when a result or its digest is written."""
    status = path.stat()
    times = [status.st_mtime_ns, status.st_ctime_ns]
    return [status.st_size, *times, status.st_ino, recorded_sha256(path)]


def _is_whole(path: Path) -> bool:
    try:
        verify(path)
    except (Damaged, OSError):
        return False
    return True
