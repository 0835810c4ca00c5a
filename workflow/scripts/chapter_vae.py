"""Train a VAE whose latent is a plane, and tabulate what quadrature needs of it.

    results/environment/venv/bin/python workflow/scripts/chapter_vae.py \
        --training results/chapter/training.json --data results/chapter --seed 1 \
        --evidence results/chapter/evidence.csv --grid results/chapter/grid.npz

One process, one thread, float64: the same bits at each repeat.
"""

import argparse
from pathlib import Path

from elboflow.ranks.user_errors import in_one_line
from elboflow.stages.chapter_vae import main
from elboflow.vae.training.steps import Diverged


def parse_args() -> argparse.Namespace:
    parser = argparse.ArgumentParser(description=__doc__.splitlines()[0])
    parser.add_argument("--training", type=Path, required=True, help="training.json")
    parser.add_argument("--data", type=Path, required=True, help="folder of the data sets")
    parser.add_argument("--seed", type=int, required=True, help="keys weights, order and noise")
    parser.add_argument("--evidence", type=Path, required=True, help="evidence.csv to write")
    parser.add_argument("--grid", type=Path, required=True, help="grid.npz to write")
    return parser.parse_args()


if __name__ == "__main__":
    with in_one_line(0, Diverged):
        main(parse_args())
