"""Score the test images of another data set under a trained model, data-parallel over images.

    workflow/scripts/launch.sh --nodes 1 --tasks-per-node 2 --threads-per-rank 1 --mpi mpirun \
        --venv results/environment/venv -- workflow/scripts/score.py \
        --evaluation results/runs/RUN/score.json \
        --model results/runs/RUN/seed1/model.safetensors \
        --data results/data --seed 1 --state results/state/RUN/seed1/score_DATASET \
        --progress results/state/RUN/seed1/score_DATASET \
        --dataset DATASET --scores results/runs/RUN/seed1/scores/DATASET.csv

Images are worked on in parts of chunk_images. Each is saved when it is done, and an interrupted job
goes on with those that are left.
"""

import argparse
from pathlib import Path

from elboflow.ranks.user_errors import in_one_line
from elboflow.ranks.worker import leave, start
from elboflow.stages.score import score
from elboflow.stages.trained_model import add_inputs
from elboflow.vae.measure.checks import ImpossibleResult


def parse_args() -> argparse.Namespace:
    parser = argparse.ArgumentParser(description=__doc__.splitlines()[0])
    add_inputs(parser)
    parser.add_argument("--dataset", required=True, help="the data set that is scored")
    parser.add_argument("--scores", type=Path, required=True, help="CSV to write, a row an image")
    return parser.parse_args()


if __name__ == "__main__":
    arguments = parse_args()
    this = start()
    with in_one_line(this.rank, ImpossibleResult):
        score(arguments, this)
    leave()
