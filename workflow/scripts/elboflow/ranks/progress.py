"""Progress of long work on rank 0: a bar on a terminal, a plain line now and then elsewhere.

And a file for those who look from elsewhere: `make status`.
"""

import json
import os
import sys
import time
from pathlib import Path

from tqdm import tqdm

from elboflow.ranks.told import FILE, SECONDS_BETWEEN, clock, show


class Progress:
    """Counts the images that all ranks did; shows images per second and the time left.

    Args:
        total, done: images in all and at the start.
        silent: on all ranks but one.
        folder: whose FILE says the same.
    """

    def __init__(
        self,
        title: str,
        total: int,
        done: int = 0,
        silent: bool = False,
        folder: Path | None = None,
    ) -> None:
        self.title, self.total, self.done, self.silent = title, total, done, silent
        self.folder = folder
        self.started, self.at_start = time.monotonic(), done
        self.shown = self.started
        # The launcher says whether anyone watches: a rank itself never has a terminal.
        watched = "ELBOFLOW_PROGRESS_BAR" in os.environ and not silent
        self.bar = (
            tqdm(total=total, initial=done, desc=title, unit=" images", unit_scale=True, ncols=100)
            if watched
            else None
        )

    def advance(self, images: int, state: str = "") -> bool:
        """Count images, and now and then tell of them.

        Args:
            state: what to show beside them, an ELBO for example.

        Returns:
            Whether it was told now.
        """
        self.done += images
        if self.bar is not None:
            self.bar.set_postfix_str(state, refresh=False)
            self.bar.update(images)
        due = self.is_due()
        if due:
            self._tell(state, line=self.bar is None)
        return due

    def reach(self, done: int) -> None:
        """The same where all that is done so far was counted anew."""
        self.advance(done - self.done)

    def is_due(self) -> bool:
        """Whether it would be told now."""
        return not self.silent and time.monotonic() - self.shown > SECONDS_BETWEEN

    def close(self, state: str = "") -> None:
        """Show the end, whether or not all was done."""
        if self.bar is not None:
            self.bar.close()
        if not self.silent:
            self._tell(state)

    def _tell(self, state: str, line: bool = True) -> None:
        self.shown = time.monotonic()
        rate = (self.done - self.at_start) / max(self.shown - self.started, 1e-9)
        left = max(self.total - self.done, 0) / rate if rate else None  # which nobody knows
        share = min(self.done / self.total, 1)
        if line:
            parts = [
                f"{self.title}: {share:4.0%}",
                f"{rate:,.0f} images/s",
                *([] if left is None else [f"{clock(left)} left"]),
                *([state] if state else []),
            ]
            print(", ".join(parts), file=sys.stderr, flush=True)
        if self.folder is not None:
            told = {
                "share": share,
                "images_per_second": rate,
                "seconds_left": left,
                "state": state,
                "time": time.time(),
            }
            show(self.folder / FILE, json.dumps(told))
