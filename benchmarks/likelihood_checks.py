"""Hold likelihoods, bounds and gradients of vae/ against what is known without it, in one table.

    make check-likelihoods           # two minutes at most, a part of make test
    make check-likelihoods LONG=1    # 20 minutes at most
    .test-environment/venv/bin/python benchmarks/likelihood_checks.py --only linear_gap

Ends with 1 where a number is further off than its tolerance: rounding where it is exact, five
standard errors where it is sampled. The noise is seeded. Shapes: K samples, B images, L latents.
"""

import argparse
import sys
import time
from collections.abc import Callable, Iterable
from functools import partial
from pathlib import Path

import numpy as np
import torch

sys.path.insert(0, str(Path(__file__).parents[1] / "workflow" / "scripts"))

from checks.aggregate import error_of_information, known_marginal_kl, no_holes
from checks.annealing import annealing
from checks.coverage import coverage, coverage_long, proposals
from checks.diagnostics import best_diagonal_q, no_overfitting
from checks.enumerations import (
    bits_per_dim,
    eight_bits,
    normalisation,
    quadrature,
    sums,
    two_cases,
)
from checks.errors import data_error, monte_carlo_error, two_sided_bounds
from checks.gaussians import gaussian_kl, linear_gap, linear_optimum
from checks.gradients import discrete_gradients, gradients
from checks.rows import Row
from checks.smoothing import smoothing
from checks.two_sample import equal_kinds, known_divergence, unequal_kinds

ROOT = Path(__file__).parents[1]
DIGITS = ".venv/lib/python3*/site-packages/sklearn/datasets/data/digits.csv.gz"
Check = Callable[[np.ndarray], Iterable[Row]]
# Of the digits, (1797, 64) in [0, 1], each gives its rows; all of these take two minutes at most.
CHECKS: tuple[Check, ...] = (
    *(gaussian_kl, linear_optimum, linear_gap, two_cases, eight_bits, quadrature, gradients),
    *(discrete_gradients, sums, normalisation, bits_per_dim, annealing),
    *(monte_carlo_error, data_error, coverage, no_overfitting, best_diagonal_q),
    *(equal_kinds, known_divergence, unequal_kinds),
    *(no_holes, known_marginal_kl, error_of_information),
)
# With --long as well: simulations that take minutes, such as those above with more repeats.
LONG: tuple[Check, ...] = (
    partial(equal_kinds, repeats=200, count=198),
    partial(known_divergence, repeats=100),
    partial(monte_carlo_error, repeats=3000),
    partial(data_error, repeats=50_000),
    partial(no_overfitting, repeats=50_000),
    partial(no_holes, repeats=400),
    partial(no_holes, repeats=10, count=5000, latent=10, rate=12.96),
    partial(known_marginal_kl, repeats=400),
    two_sided_bounds,
    coverage_long,
    proposals,
    smoothing,
)


def name_of(check: Check) -> str:
    return (check.func if isinstance(check, partial) else check).__name__


def table(checks: Iterable[Check], images: np.ndarray) -> list[Row]:
    """Print the rows of each check and its seconds, as they come."""
    print("| check | quantity | expected | computed | difference | tolerance |")
    print("|---|---|---|---|---|---|")
    found: list[Row] = []
    for check in checks:
        began = time.monotonic()
        for row in check(images):
            print(f"| {name_of(check)} | {row}", flush=True)
            found.append(row)
        print(f"{name_of(check)}: {time.monotonic() - began:.0f} seconds", file=sys.stderr)
    return found


@torch.no_grad()
def main() -> int:
    parser = argparse.ArgumentParser(description=__doc__.splitlines()[0])
    parser.add_argument("--long", action="store_true", help="those that take minutes as well")
    parser.add_argument("--only", metavar="NAME", help="the checks of that name alone")
    given = parser.parse_args()
    torch.set_num_threads(1)
    path = next(ROOT.glob(DIGITS), None)
    if path is None:
        raise SystemExit(f"{DIGITS}: not there; run make setup, which brings scikit-learn's digits")
    images = np.loadtxt(path, delimiter=",")[:, :-1] / 16
    checks = [*CHECKS, *(LONG if given.long else ())]
    rows = table([check for check in checks if given.only in (None, name_of(check))], images)
    held = sum(row.holds for row in rows)
    print(f"\n{held} of {len(rows)} hold")
    return int(held < len(rows) or not rows)


if __name__ == "__main__":
    sys.exit(main())
