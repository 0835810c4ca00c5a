"""Read event files of TensorBoard, as TensorBoard does: each record with its checksums."""

import struct
from pathlib import Path
from typing import Any

from tensorboardX.proto.event_pb2 import Event
from tensorboardX.record_writer import masked_crc32c


def events(path: Path) -> list[Any]:
    """All events of a file; raises AssertionError where a record is torn or doubtful."""
    content, found = path.read_bytes(), []
    while content:
        header, (length, checksum) = content[:8], struct.unpack("<QI", content[:12])
        assert checksum == masked_crc32c(header)
        record, end = content[12 : 12 + length], 16 + length
        assert struct.unpack("<I", content[12 + length : end])[0] == masked_crc32c(record)
        found.append(Event.FromString(record))
        content = content[end:]
    return found


def curves(folder: Path) -> dict[str, list[tuple[int, float]]]:
    """Steps and values of each scalar in the one event file of a folder."""
    (path,) = folder.glob("*tfevents*")
    found: dict[str, list[tuple[int, float]]] = {}
    for event in events(path):
        for value in event.summary.value:
            found.setdefault(value.tag, []).append((event.step, value.simple_value))
    return found
