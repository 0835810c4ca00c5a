"""What a standard deviation over seeds is worth: how often its interval holds the true one."""

import numpy as np
import pandas as pd
import pytest

from elboflow.pages.seeds import spread_limits, spreads


@pytest.mark.parametrize("seeds", [2, 3, 5])
@pytest.mark.promise(
    "seed_sd",
    "the true one is between the stated multiples of it in 95 % of the cases",
    "20,000 draws of 2, 3 and 5 normal values, within 4 standard errors",
)
def test_the_true_standard_deviation_is_between_the_limits(seeds: int) -> None:
    random, trials = np.random.default_rng(seeds), 20_000
    found = random.normal(size=(trials, seeds)).std(1, ddof=1)
    low, high = spread_limits(seeds)
    held = ((low * found <= 1) & (found * high >= 1)).mean()
    assert held == pytest.approx(0.95, abs=4 * (0.95 * 0.05 / trials) ** 0.5)


def test_each_number_of_seeds_is_told_once_and_one_is_not() -> None:
    summary = pd.DataFrame({"seeds": [2, 1, 5, 2]})
    assert spreads(summary) == [
        {"seeds": 2, "low": "0.45", "high": "32"},
        {"seeds": 5, "low": "0.60", "high": "2.9"},
    ]
