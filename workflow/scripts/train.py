"""Train one VAE, data-parallel over the ranks that the launcher started.

    workflow/scripts/launch.sh --nodes 1 --tasks-per-node 2 --threads-per-rank 1 --mpi mpirun \
        --venv results/environment/venv -- workflow/scripts/train.py \
        --training results/runs/RUN/training.json --data results/data --seed 1 \
        --state results/state/RUN/seed1 --progress results/state/RUN/seed1 \
        --checkpoint-seconds 60 --tensorboard 0 \
        --model model.safetensors --metrics metrics.csv --speed speed.json

Started again after an interruption it goes on from its last checkpoint, to the same bits.
"""

import argparse
from pathlib import Path

from elboflow.ranks.user_errors import in_one_line
from elboflow.ranks.worker import leave, start
from elboflow.stages.train import train
from elboflow.vae.training.steps import Diverged


def parse_args() -> argparse.Namespace:
    parser = argparse.ArgumentParser(description=__doc__.splitlines()[0])
    parser.add_argument("--training", type=Path, required=True, help="training.json of the run")
    parser.add_argument("--data", type=Path, required=True, help="folder of the data sets")
    parser.add_argument("--seed", type=int, required=True, help="keys weights, order and noise")
    parser.add_argument("--state", type=Path, required=True, help="folder of the states")
    parser.add_argument(
        "--progress", type=Path, required=True, help="folder in which it tells how far it is"
    )
    parser.add_argument(
        "--checkpoint-seconds", type=float, required=True, help="time between two checkpoints"
    )
    parser.add_argument(
        "--tensorboard",
        type=int,
        choices=[0, 1],
        required=True,
        help="1: write event files in the folder tensorboard beside the model",
    )
    parser.add_argument("--model", type=Path, required=True, help="model.safetensors to write")
    parser.add_argument("--metrics", type=Path, required=True, help="metrics.csv to write")
    parser.add_argument("--speed", type=Path, required=True, help="images/s and hosts, as JSON")
    return parser.parse_args()


if __name__ == "__main__":
    arguments = parse_args()
    this = start()
    with in_one_line(this.rank, Diverged):
        train(arguments, this)
    leave()
