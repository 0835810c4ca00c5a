"""Horovod beside torch.distributed: an allreduce alone, and training steps with it, on two ranks.

    .test-environment/venv/bin/python benchmarks/collectives.py

Both have a turn in each round, the other one stopped; a round in which other processes took more
than --most-others of the machine is thrown away. Needs Linux and two cores that do nothing else;
where they do, --real-time lets the ranks go first.
"""

import argparse
import os
import statistics
import sys
import tempfile
from contextlib import ExitStack
from pathlib import Path

from peers.processes import Contender, tree

ROOT = Path(__file__).parents[1]
LIBRARIES = ("horovod", "torch")
GRADIENT = 424_000  # float32 of a VAE of 784-200-200-50 units and back
KINDS = {
    "allreduce of 1.7 MB": ("adding", GRADIENT),
    "step of 20 images": ("training", 20),
    "step of 100 images": ("training", 100),
}


def words(kind: str, size: int) -> list[object]:
    return [
        *(ROOT / "workflow/scripts/launch.sh", "--nodes", 1, "--tasks-per-node", 2),
        *("--threads-per-rank", 1, "--mpi", "mpirun", "--venv", sys.prefix),
        *("--", ROOT / "benchmarks/peers/steps.py", kind, size),
    ]


def put_first(process: int) -> None:
    """Let a process and all below it run before everything else."""
    for task in (task for each in tree(process) for task in Path(f"/proc/{each}/task").iterdir()):
        os.sched_setscheduler(int(task.name), os.SCHED_FIFO, os.sched_param(10))


def compare(kind: str, size: int, args: argparse.Namespace) -> dict[str, list[dict[str, float]]]:
    """The turns of each library, in rounds that were quiet."""
    kept: dict[str, list[dict[str, float]]] = {name: [] for name in LIBRARIES}
    with ExitStack() as stack, tempfile.TemporaryDirectory() as folder:
        made, steps = {}, dict.fromkeys(LIBRARIES, 100)
        for name in LIBRARIES:
            variables = {"ELBOFLOW_COLLECTIVES": name, "ELBOFLOW_STALL_SECONDS": "86400"}
            contender = Contender(name, words(kind, size), variables, Path(folder))
            made[name] = stack.enter_context(contender)
            made[name].ask(100)
            if args.real_time:
                put_first(contender.process.pid)
        for _ in range(args.rounds):
            found = {name: made[name].ask(steps[name]) for name in LIBRARIES}
            steps = {name: max(round(1e3 * args.seconds / found[name]["ms"]), 10) for name in found}
            if max(taken["others"] for taken in found.values()) <= args.most_others:
                for name in LIBRARIES:
                    kept[name].append(found[name])
    return kept


if __name__ == "__main__":
    parser = argparse.ArgumentParser(description=__doc__.split("\n")[0])
    parser.add_argument("--rounds", type=int, default=100)
    parser.add_argument("--seconds", type=float, default=0.3, help="length of a turn")
    parser.add_argument("--real-time", action="store_true", help="before all else (root)")
    parser.add_argument("--most-others", type=float, default=0.03, help="share of the machine")
    arguments = parser.parse_args()
    print(f"{'':>22}{'':>10}{'ms':>8}{'cores':>8}{'rounds':>8}")
    for label, (of, count) in KINDS.items():
        for library, rounds in compare(of, count, arguments).items():
            if rounds:
                ms, cores = (statistics.median(t[name] for t in rounds) for name in ("ms", "cores"))
                print(f"{label:>22}{library:>10}{ms:>8.3f}{cores:>8.2f}{len(rounds):>8}")
