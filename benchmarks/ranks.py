"""What two connected ranks reach of two processes that know nothing of each other.

Both are measured in turn, several times; the ratio is that of the medians. Needs two idle cores.
"""

import argparse
import json
import statistics
import subprocess
import sys
import time
from pathlib import Path

ROOT = Path(__file__).parents[1]


def start_processes(ranks: int, images: int, begin: float, seconds: float) -> subprocess.Popen[str]:
    words = [
        ROOT / "workflow/scripts/launch.sh",
        *("--nodes", 1, "--tasks-per-node", ranks, "--threads-per-rank", 1),
        *("--mpi", "mpirun", "--venv", sys.prefix, "--", ROOT / "benchmarks/training_speed.py"),
        *("--images-per-rank", images, "--begin", begin, "--seconds", seconds),
    ]
    return subprocess.Popen(list(map(str, words)), stdout=subprocess.PIPE, text=True)


def images_per_second(shape: list[int], images: int, seconds: float, settle: float) -> float:
    """Start one job per entry of `shape`, with so many ranks each, and add their speeds."""
    begin = time.time() + settle
    jobs = [start_processes(ranks, images, begin, seconds) for ranks in shape]
    printed = [job.communicate()[0] for job in jobs]
    return sum(json.loads(text.splitlines()[-1])["images_per_second"] for text in printed)


if __name__ == "__main__":
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("--images-per-rank", type=int, nargs="+", default=[100, 1000])
    parser.add_argument("--repeats", type=int, default=5, help="measurements of each kind")
    parser.add_argument("--seconds", type=float, default=5.0, help="length of a measurement")
    parser.add_argument("--settle", type=float, default=15.0, help="time to start and warm up")
    arguments = parser.parse_args()
    print(f"{'images/rank':>12}{'2 ranks':>12}{'2 x 1 rank':>12}{'ratio':>8}")
    for count in arguments.images_per_rank:
        measured: dict[str, list[float]] = {"connected": [], "apart": []}
        for _ in range(arguments.repeats):
            for name, ranks in (("connected", [2]), ("apart", [1, 1])):
                speed = images_per_second(ranks, count, arguments.seconds, arguments.settle)
                measured[name].append(speed)
        connected, apart = (statistics.median(measured[name]) for name in ("connected", "apart"))
        print(f"{count:>12}{connected:>12,.0f}{apart:>12,.0f}{connected / apart:>8.0%}", flush=True)
