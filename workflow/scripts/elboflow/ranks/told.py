"""What long work tells those who look from elsewhere: files in a folder of each experiment."""

import contextlib
from pathlib import Path

from elboflow.files.whole import write_bytes

FILE, METRICS = ".progress", "metrics.csv"  # the first is JSON
SECONDS_BETWEEN = 10.0  # two looks


def show(path: Path, content: str) -> None:
    """Write a file for those who look; work goes on where it can't be written."""
    with contextlib.suppress(OSError):
        write_bytes(path, content.encode())


def clock(seconds: float) -> str:
    """Minutes and seconds, with hours where there are any."""
    minutes, rest = divmod(round(seconds), 60)
    hours, minutes = divmod(minutes, 60)
    return f"{hours}:{minutes:02}:{rest:02}" if hours else f"{minutes}:{rest:02}"
