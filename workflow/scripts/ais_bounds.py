"""Bound log p(x) by annealed importance sampling, and split its gap, data-parallel over images.

    workflow/scripts/launch.sh --nodes 1 --tasks-per-node 2 --threads-per-rank 1 --mpi mpirun \
        --venv results/environment/venv -- workflow/scripts/ais_bounds.py \
        --evaluation results/runs/RUN/ais_bounds.json \
        --model results/runs/RUN/seed1/model.safetensors \
        --data results/data --seed 1 --state results/state/RUN/seed1/ais_bounds \
        --progress results/state/RUN/seed1/ais_bounds \
        --bounds results/runs/RUN/seed1/bounds.csv --speed speed.json

Images are worked on in parts of ais_chunk_images, which are the same for any number of ranks. Each
is saved when it is done, and an interrupted job goes on with those that are left.
"""

import argparse
from pathlib import Path

from elboflow.ranks.user_errors import in_one_line
from elboflow.ranks.worker import leave, start
from elboflow.stages.ais_bounds import run_bounds
from elboflow.stages.trained_model import add_inputs
from elboflow.vae.measure.checks import ImpossibleResult


def parse_args() -> argparse.Namespace:
    parser = argparse.ArgumentParser(description=__doc__.splitlines()[0])
    add_inputs(parser)
    parser.add_argument("--bounds", type=Path, required=True, help="bounds.csv to write")
    parser.add_argument("--speed", type=Path, required=True, help="images/s and hosts, as JSON")
    return parser.parse_args()


if __name__ == "__main__":
    arguments = parse_args()
    this = start()
    with in_one_line(this.rank, ImpossibleResult):
        run_bounds(arguments, this)
    leave()
