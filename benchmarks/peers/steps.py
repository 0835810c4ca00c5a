"""Steps of one kind by the ranks of the launcher, as many as each turn asks for.

launch.sh … -- steps.py adding NUMBERS      a sum over ranks of so many float32
launch.sh … -- steps.py training IMAGES     a training step of so many images, of all ranks
"""

import json
import os
import sys
import time
from collections.abc import Callable
from pathlib import Path

import torch

sys.path.insert(0, str(Path(__file__).parents[1]))
sys.path.insert(0, str(Path(__file__).parents[2] / "workflow" / "scripts"))

from peers.processes import TICKS_PER_SECOND, busy_ticks
from training_speed import make_training

from elboflow.ranks.collectives import gather, share_object
from elboflow.ranks.place import Worker
from elboflow.ranks.worker import start
from elboflow.stages.train import allreduce


def step_of(kind: str, size: int, worker: Worker) -> Callable[[], object]:
    if kind == "training":
        return make_training(size, worker).advance
    numbers, add = torch.zeros(size), allreduce(worker)
    return lambda: add(numbers)


def take_turn(step: Callable[[], object], steps: int) -> dict[str, float]:
    """Milliseconds a step, cores that ranks kept busy, and the share of the machine of others."""
    busy, own, began = busy_ticks(), time.process_time(), time.perf_counter()
    for _ in range(steps):
        step()
    seconds = time.perf_counter() - began
    own, busy = time.process_time() - own, busy_ticks() - busy
    owns = sum(gather(own))
    others = (busy / TICKS_PER_SECOND - owns) / seconds / (os.cpu_count() or 1)
    return {"ms": 1e3 * seconds / steps, "cores": owns / seconds, "others": others}


if __name__ == "__main__":
    this = start()
    step = step_of(sys.argv[1], int(sys.argv[2]), this)
    while steps := share_object(sys.stdin.readline() if this.rank == 0 else None, "steps"):
        taken = take_turn(step, int(steps))
        if this.rank == 0:
            print(json.dumps(taken), flush=True)
