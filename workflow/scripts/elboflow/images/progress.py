"""How far long work is, on stderr."""

import sys
import time
from typing import TextIO

MEBIBYTE = 1024 * 1024
SECONDS_LIVE = 0.2  # between two updates on a terminal


class ProgressLine:
    """Says something now and then: a line that is rewritten on a terminal, else a new line.

    Args:
        label: begins every line.
        interval: seconds between two lines of a log.
    """

    def __init__(self, label: str, interval: float, stream: TextIO | None = None) -> None:
        self.label = label
        self.stream = stream or sys.stderr
        self.live = self.stream.isatty()
        self.interval = SECONDS_LIVE if self.live else interval
        self.last = time.monotonic()
        self.shown = False

    def is_due(self) -> bool:
        """Whether the last line was not a moment ago; the next one is counted from now."""
        now = time.monotonic()
        due = now - self.last >= self.interval
        self.last = now if due else self.last
        return due

    def show(self, text: str) -> None:
        """Write the line."""
        start, end = ("\r", "\x1b[K") if self.live else ("", "\n")
        print(f"{start}{self.label}: {text}", end=end, file=self.stream, flush=True)
        self.shown = True

    def close(self) -> None:
        """End the line that was rewritten, so that the next message starts on a line of its own."""
        if self.live and self.shown:
            print(file=self.stream, flush=True)
            self.shown = False


class DownloadProgress(ProgressLine):
    """How much of a download has come."""

    def __init__(self, label: str, interval: float = 5.0, stream: TextIO | None = None) -> None:
        super().__init__(label, interval, stream)

    def update(self, done: int, total: int | None) -> None:
        """Show `done` of `total` bytes (None: unknown) unless that was done a moment ago."""
        if not self.is_due():
            return
        amount = f"{done / MEBIBYTE:.1f} MiB"
        if total:
            amount = f"{done / MEBIBYTE:.1f} of {total / MEBIBYTE:.1f} MiB ({done / total:.0%})"
        self.show(amount)
