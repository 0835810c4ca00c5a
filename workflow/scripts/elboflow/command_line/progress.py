"""How far long work on images is, on stderr: on a terminal a line that is rewritten."""

import sys
import time
from typing import TextIO

SECONDS_LIVE, SECONDS_BETWEEN_LINES = 0.2, 10.0


class Progress:
    """Called with the number of images that are done; says so now and then."""

    def __init__(self, title: str, total: int, stream: TextIO | None = None) -> None:
        self.title, self.total = title, total
        self.stream = stream or sys.stderr
        self.live = self.stream.isatty()
        self.began = self.shown = time.monotonic()

    def __call__(self, done: int) -> None:
        now = time.monotonic()
        if now - self.shown >= (SECONDS_LIVE if self.live else SECONDS_BETWEEN_LINES):
            self.shown = now
            left = (now - self.began) / done * (self.total - done)
            line = f"{self.title}: {done} of {self.total} images, {left:.0f} s left"
            start, end = ("\r", "\x1b[K") if self.live else ("", "\n")
            print(f"{start}{line}", end=end, file=self.stream, flush=True)

    def close(self) -> None:
        """End the line that was rewritten."""
        if self.live and self.shown > self.began:
            print(file=self.stream, flush=True)
