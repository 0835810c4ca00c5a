"""How fast a program was, for the machine report."""

import json
from typing import Any

from elboflow.ranks.collectives import gather
from elboflow.ranks.place import Worker


def record_of_speed(
    worker: Worker, run: str, seed: int, images: int, seconds: float, **more: Any
) -> bytes:
    """What a program took, as JSON; all ranks must call it."""
    # Hosts are known to their own ranks only.
    hosts = gather(worker.host)
    document = {
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
    return (json.dumps(document, indent=2) + "\n").encode()
