"""Time a run's training steps on as many ranks as there are: weak and strong scaling, and why.

    workflow/scripts/launch.sh --nodes 1 --tasks-per-node 2 --threads-per-rank 1 --mpi mpirun \
        --venv results/environment/venv -- workflow/scripts/measure_scaling.py \
        --training results/runs/RUN/training.json --data results/data --seed 1 \
        --images-per-rank 100 --steps 200 --record ranks2.json

Nothing is kept of the training itself.
"""

import argparse
from pathlib import Path

from elboflow.ranks.user_errors import in_one_line
from elboflow.ranks.worker import leave, start
from elboflow.stages.measure_scaling import measure_scaling
from elboflow.vae.training.steps import Diverged


def parse_args() -> argparse.Namespace:
    parser = argparse.ArgumentParser(description=__doc__.splitlines()[0])
    add = parser.add_argument
    add("--training", type=Path, required=True, help="training.json of the run")
    add("--data", type=Path, required=True, help="folder of the data sets")
    add("--seed", type=int, required=True, help="keys weights, order and noise")
    add("--images-per-rank", type=int, required=True, help="of a batch, in weak scaling")
    add("--steps", type=int, required=True, help="timed in one go")
    add("--record", type=Path, required=True, help="written: seconds of a step, as JSON")
    return parser.parse_args()


if __name__ == "__main__":
    arguments = parse_args()
    this = start()
    with in_one_line(this.rank, Diverged):
        measure_scaling(arguments, this)
    leave()
