"""Hold likelihoods, bounds and gradients of vae/ against what is known without it, in one table.

    .test-environment/venv/bin/python benchmarks/likelihood_checks.py

Ends with 1 where a number is further off than its tolerance: rounding where it is exact, five
standard errors where it is sampled. The noise is seeded. Shapes: K samples, B images, L latents.
"""

import sys
from pathlib import Path

import numpy as np
import torch

sys.path.insert(0, str(Path(__file__).parents[1] / "workflow" / "scripts"))

from checks.annealing import annealing
from checks.enumerations import (
    bits_per_dim,
    eight_bits,
    normalisation,
    quadrature,
    sums,
    two_cases,
)
from checks.gaussians import gaussian_kl, linear_gap, linear_optimum
from checks.gradients import discrete_gradients, gradients

ROOT = Path(__file__).parents[1]
DIGITS = ".venv/lib/python3*/site-packages/sklearn/datasets/data/digits.csv.gz"
CHECKS = (
    gaussian_kl, linear_optimum, linear_gap, two_cases, eight_bits, quadrature, gradients,
    discrete_gradients, sums, normalisation, bits_per_dim, annealing,
)  # fmt: skip


@torch.no_grad()
def main() -> int:
    torch.set_num_threads(1)
    path = next(ROOT.glob(DIGITS), None)
    if path is None:
        raise SystemExit(f"{DIGITS}: not there; run make setup, which brings scikit-learn's digits")
    images = np.loadtxt(path, delimiter=",")[:, :-1] / 16
    rows = [(check.__name__, row) for check in CHECKS for row in check(images)]
    print("\n| check | quantity | expected | computed | difference | tolerance |")
    print("|---|---|---|---|---|---|")
    for name, row in rows:
        print(f"| {name} | {row}")
    held = sum(row.holds for _, row in rows)
    print(f"\n{held} of {len(rows)} hold")
    return int(held < len(rows))


if __name__ == "__main__":
    sys.exit(main())
