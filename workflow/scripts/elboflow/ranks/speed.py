"""How fast a program was, for the machine report."""

import json
import os
import time
from typing import Any

from elboflow.ranks.collectives import gather
from elboflow.ranks.place import Worker

MOST_POINTS = 120


class Pace:
    """Images against seconds while a training goes on, in few points however long it takes.

    seconds, images: up to now, of this job.
    points: pairs of them, evenly apart.
    """

    def __init__(self) -> None:
        self.seconds, self.images = 0.0, 0
        self.points = [(0.0, 0)]
        self.apart = 0.1  # seconds

    def add(self, seconds: float, images: int) -> None:
        """So many images more, in so many seconds."""
        self.seconds += seconds
        self.images += images
        if self.seconds - self.points[-1][0] >= self.apart:
            self.points.append((round(self.seconds, 3), self.images))
        if len(self.points) > MOST_POINTS:
            self.points = self.points[::2]
            self.apart *= 2


def record_of_speed(
    worker: Worker, run: str, seed: int, images: int, seconds: float, **more: Any
) -> dict[str, Any]:
    """What a program took; all ranks must call it."""
    # Hosts are known to their own ranks only.
    hosts = gather(worker.host)
    return {
        "run": run,
        "seed": seed,
        "ranks": worker.size,
        "threads_per_rank": worker.threads,
        "hosts": sorted(set(hosts)),
        "device": worker.device_name,
        "images_per_second": images / seconds if seconds else None,
        "seconds": seconds,
        "images": images,
        **more,
    }


def speed_file(record: dict[str, Any]) -> bytes:
    """The record as JSON, with the seconds since the launcher began; null without one."""
    began = os.environ.get("ELBOFLOW_BEGAN")
    whole = time.time() - float(began) if began else None
    return (json.dumps({**record, "job_seconds": whole}, indent=2) + "\n").encode()
