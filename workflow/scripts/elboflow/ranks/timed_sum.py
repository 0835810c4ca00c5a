"""Where the time of a training step goes: computing, waiting for the other ranks, adding."""

import time
from collections.abc import Callable

import numpy as np
import torch
from torch import Tensor

from elboflow.ranks.collectives import add
from elboflow.ranks.place import Worker

SPLIT = ("computing", "waiting", "adding", "latency")


class TimedSum:
    """The sum over ranks of a step; while `split` is set, ranks meet before it and times are noted.

    They meet by adding one number. Whoever comes last waits for nobody: what it takes then is the
    latency of adding so few bytes, and what the others take above it is their waiting.
    """

    def __init__(self, worker: Worker, allreduce: Callable[[Tensor], None]) -> None:
        self.worker, self.allreduce = worker, allreduce
        self.split, self.bytes = False, 0
        self.times: list[tuple[float, float, float]] = []
        self._meeting = torch.zeros(1, device=worker.device)

    def __call__(self, numbers: Tensor) -> None:
        """Sum over ranks, in place."""
        if not self.split:
            self.allreduce(numbers)
            return
        self.bytes = numbers.numel() * numbers.element_size()
        arrived = self.now()
        self.meet()
        met = self.now()
        self.allreduce(numbers)
        self.times.append((arrived, met, self.now()))

    def meet(self) -> None:
        """Wait until all ranks are here."""
        if self.worker.size > 1:
            add(self._meeting, "meeting")

    def now(self) -> float:
        """Seconds by this rank's clock, when the device has done all it was given."""
        if self.worker.device.type == "cuda":
            torch.cuda.synchronize(self.worker.device)
        return time.perf_counter()

    def taken(self) -> np.ndarray:
        """The times noted since the last call, shape (steps, 3): arrived, met, added."""
        times, self.times = np.array(self.times), []
        return times


def split_of(times: np.ndarray) -> dict[str, float]:
    """Means over ranks and steps in seconds, by the names in SPLIT.

    Args:
        times: shape (ranks, steps, 3), each rank's by a clock of its own; of the first step nobody
            knows when it began.
    """
    arrived, met, added = np.moveaxis(times, 2, 0)
    meeting = (met - arrived)[:, 1:]
    latency = meeting.min(0)
    parts = (arrived[:, 1:] - added[:, :-1], meeting - latency, (added - met)[:, 1:], latency)
    return {name: float(part.mean()) for name, part in zip(SPLIT, parts, strict=True)}
