"""How far a download is, on stderr."""

import sys
import time
from typing import TextIO

MEBIBYTE = 1024 * 1024


class DownloadProgress:
    """Says now and then how much has come: a line that is rewritten on a terminal, else a new line.

    A log gets a line every `interval` seconds, a terminal five updates a second.
    """

    def __init__(self, label: str, interval: float = 5.0, stream: TextIO | None = None) -> None:
        self.label = label
        self.stream = stream or sys.stderr
        self.live = self.stream.isatty()
        self.interval = 0.2 if self.live else interval
        self.last = time.monotonic()
        self.shown = False

    def update(self, done: int, total: int | None) -> None:
        """Show `done` of `total` bytes (None: unknown) unless that was done a moment ago."""
        now = time.monotonic()
        if now - self.last >= self.interval:
            self.last = now
            self._show(done, total)

    def _show(self, done: int, total: int | None) -> None:
        amount = f"{done / MEBIBYTE:.1f} MiB"
        if total:
            amount = f"{done / MEBIBYTE:.1f} of {total / MEBIBYTE:.1f} MiB ({done / total:.0%})"
        start, end = ("\r", "\x1b[K") if self.live else ("", "\n")
        print(f"{start}{self.label}: {amount}", end=end, file=self.stream, flush=True)
        self.shown = True

    def close(self) -> None:
        """End the line that was rewritten, so that the next message starts on a line of its own."""
        if self.live and self.shown:
            print(file=self.stream, flush=True)
            self.shown = False
