"""Measure a trained VAE on the test split, data-parallel over the ranks of the launcher.

    workflow/scripts/launch.sh --nodes 1 --tasks-per-node 2 --threads-per-rank 1 --mpi mpirun \
        --venv results/environment/venv -- workflow/scripts/evaluate.py \
        --evaluation results/runs/RUN/evaluation.json \
        --model results/runs/RUN/seed1/model.safetensors \
        --data results/data --seed 1 --state results/state/RUN/seed1/evaluate \
        --progress results/state/RUN/seed1/evaluate \
        --output-dir results/runs/RUN/seed1 --speed speed.json

Images are worked on in parts of chunk_images. Each is saved when it is done, and an interrupted job
goes on with those that are left.
"""

import argparse
from pathlib import Path

from elboflow.ranks.user_errors import in_one_line
from elboflow.ranks.worker import leave, start
from elboflow.stages.evaluate import evaluate
from elboflow.stages.trained_model import add_inputs
from elboflow.vae.measure.checks import ImpossibleResult


def parse_args() -> argparse.Namespace:
    parser = argparse.ArgumentParser(description=__doc__.splitlines()[0])
    add_inputs(parser)
    parser.add_argument("--output-dir", type=Path, required=True, help="folder of the results")
    parser.add_argument("--speed", type=Path, required=True, help="images/s and hosts, as JSON")
    return parser.parse_args()


if __name__ == "__main__":
    arguments = parse_args()
    this = start()
    with in_one_line(this.rank, ImpossibleResult):
        evaluate(arguments, this)
    leave()
