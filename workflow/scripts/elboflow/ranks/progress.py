"""Progress of long work on rank 0: a bar on a terminal, a plain line now and then elsewhere."""

import os
import sys
import time

from tqdm import tqdm

SECONDS_BETWEEN_LINES = 10.0


class Progress:
    """Counts images; shows images per second and the time left.

    Args:
        total, done: images in all and at the start.
        ranks: by how much to multiply the speed, where each rank counts its own share.
        silent: on all ranks but one.
    """

    def __init__(
        self, title: str, total: int, done: int = 0, ranks: int = 1, silent: bool = False
    ) -> None:
        self.title, self.total, self.done, self.silent = title, total, done, silent
        self.ranks = ranks
        self.started, self.at_start = time.monotonic(), done
        self.shown = self.started
        # The launcher says whether anyone watches: a rank itself never has a terminal.
        watched = "ELBOFLOW_PROGRESS_BAR" in os.environ and not silent
        self.bar = (
            tqdm(total=total, initial=done, desc=title, unit=" images", unit_scale=True, ncols=100)
            if watched
            else None
        )

    def advance(self, images: int, state: str = "") -> None:
        """Count images; `state` is what to show beside them, an ELBO for example."""
        self.done += images
        if self.bar is not None:
            self.bar.set_postfix_str(state, refresh=False)
            self.bar.update(images)
        elif not self.silent and time.monotonic() - self.shown > SECONDS_BETWEEN_LINES:
            self.shown = time.monotonic()
            self._line(state)

    def close(self, state: str = "") -> None:
        """Show the end, whether or not all was done."""
        if self.bar is not None:
            self.bar.close()
        if not self.silent:
            self._line(state)

    def _line(self, state: str) -> None:
        seconds = max(time.monotonic() - self.started, 1e-9)
        rate = max((self.done - self.at_start) / seconds, 1e-9)
        parts = [
            f"{self.title}: {min(self.done / self.total, 1):4.0%}",
            f"{rate * self.ranks:,.0f} images/s",
            f"{_clock(max(self.total - self.done, 0) / rate)} left",
            *([state] if state else []),
        ]
        print(", ".join(parts), file=sys.stderr, flush=True)


def _clock(seconds: float) -> str:
    minutes, rest = divmod(round(seconds), 60)
    hours, minutes = divmod(minutes, 60)
    return f"{hours}:{minutes:02}:{rest:02}" if hours else f"{minutes}:{rest:02}"
