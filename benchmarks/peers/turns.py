"""A contender's side of the benchmark: it waits for a line, works that much, and answers in JSON.

Lines are a number of images, answered by those that were worked on and the seconds that it took, or
`save PATH`, answered when the results so far are there. Between two lines the whole process is
stopped by who asks, so that nothing is loaded or compiled in a turn, and nobody who waits computes.
"""

import json
import os
import sys
import time
from collections.abc import Callable
from typing import Any

import numpy as np

Arrays = dict[str, np.ndarray]


class Alone:
    """How one process hears a line, and for how long it worked."""

    rank = 0

    def line(self) -> str:
        return sys.stdin.readline().strip()

    def slowest(self, seconds: float) -> float:
        return seconds


class Turns:
    """Counts the steps of a turn: a loop, or a trainer's callback, calls `stepped` after each.

    Args:
        images: how many each step works on, of all ranks together.
        results: what `save` is to write.
    """

    def __init__(
        self, images: int, results: Callable[[], Arrays], ranks: Alone | None = None
    ) -> None:
        self.images, self.results, self.ranks = images, results, ranks or Alone()
        # What libraries print is no answer.
        self._answers = os.fdopen(os.dup(1), "w")
        os.dup2(2, 1)

    def begin(self) -> None:
        """Wait for the next turn; ends this process where there is none."""
        while (line := self.ranks.line()).startswith("save "):
            results = self.results()
            if self.ranks.rank == 0:
                np.savez(line.removeprefix("save "), **results)
            self._answer({})
        if not line:
            os._exit(0)  # a trainer would take an exception for a failure of the step
        self.steps = self.left = -(-int(line) // self.images)
        self._begun = time.perf_counter()

    def stepped(self) -> None:
        self.left -= 1
        if self.left == 0:
            seconds = self.ranks.slowest(time.perf_counter() - self._begun)
            self._answer({"images": self.steps * self.images, "seconds": seconds})
            self.begin()

    def _answer(self, content: dict[str, Any]) -> None:
        if self.ranks.rank == 0:
            print(json.dumps(content), file=self._answers, flush=True)
