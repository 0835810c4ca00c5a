"""See that the launcher and the network work; measure how fast ranks add numbers.

    workflow/scripts/launch.sh --nodes 1 --tasks-per-node 2 --threads-per-rank 1 --mpi mpirun \
        --venv results/environment/venv -- workflow/scripts/smoke_test.py \
        --repeats 20 --ranks-csv ranks.csv --allreduce-csv allreduce.csv
"""

import argparse
from pathlib import Path

from elboflow.ranks.worker import leave, start
from elboflow.stages.smoke_test import smoke_test


def parse_args() -> argparse.Namespace:
    parser = argparse.ArgumentParser(description=__doc__.partition("\n")[0])
    add = parser.add_argument
    add("--repeats", type=int, required=True, help="times to measure each size")
    add("--ranks-csv", type=Path, required=True, help="written: one row a rank")
    words = "written: latency and bus bandwidth against size"
    add("--allreduce-csv", type=Path, required=True, help=words)
    return parser.parse_args()


if __name__ == "__main__":
    smoke_test(parse_args(), start())
    leave()
