"""Paired differences between runs: against scipy, and how often their intervals hold the truth."""

import itertools
import subprocess
from collections.abc import Callable
from pathlib import Path
from typing import Any

import numpy as np
import pandas as pd
import pytest
from comparisons import Estimates, compare, comparisons, half_width, read_runs
from likelihood_data import OBSERVES, WORDS
from resolve_run import read_schema
from result_files import COMPARISONS, InputError, kinds, read_table
from scipy import stats

RANDOM = np.random.default_rng(5)


def made(values: Any, errors: Any = 0.0) -> Estimates:
    return Estimates(np.array(values, float), np.broadcast_to(errors, np.shape(values)))


def test_one_seed_each_is_the_paired_t_test() -> None:
    one, other = RANDOM.normal(size=(2, 1, 30))
    found = compare(made(one), made(other + one))
    expected = stats.ttest_1samp(-other[0], 0).confidence_interval(0.95)
    assert (found["lower"], found["upper"]) == pytest.approx(tuple(expected))
    assert found["data_error"] == pytest.approx(stats.sem(other[0]))
    assert np.isnan([found["seed_error"], found["lower_with_seeds"]]).all()


def test_pairing_removes_what_the_images_share() -> None:
    images = RANDOM.normal(0, 50, 400)
    found = compare(made([images]), made([images - 0.5 + RANDOM.normal(0, 0.01, 400)]))
    assert found["data_error"] < 0.001
    assert found["lower"] < 0.5 < found["upper"]


def test_without_spread_over_images_it_is_welchs_interval_of_the_seeds() -> None:
    one, other = RANDOM.normal(size=4), RANDOM.normal(3, 2, size=3)
    same = np.ones((1, 1000))
    found = compare(made(one[:, None] * same), made(other[:, None] * same))
    interval = stats.ttest_ind(one, other, equal_var=False).confidence_interval(0.95)
    expected = (interval.low, interval.high)
    assert (found["lower_with_seeds"], found["upper_with_seeds"]) == pytest.approx(expected)
    assert found["lower"] == found["upper"] == pytest.approx(one.mean() - other.mean())


def test_monte_carlo_error_is_that_of_the_mean_of_independent_estimates() -> None:
    one, other = made(np.zeros((2, 4)), 0.3), made(np.zeros((1, 4)), 0.4)
    expected = (8 * 0.3**2 / 8**2 + 4 * 0.4**2 / 4**2) ** 0.5
    assert compare(one, other)["monte_carlo_error"] == pytest.approx(expected)


def test_equal_runs_do_not_differ() -> None:
    found = compare(made(np.ones((2, 5))), made(np.ones((2, 5))))
    assert found["difference"] == found["lower"] == found["upper_with_seeds"] == 0
    assert half_width([0.0], [3]) == 0


@pytest.mark.promise(
    "difference",
    "coverage 95 % for these trainings; at least 95 % for other seeds",
    "2000 pairs of runs of one difference, 2 and 5 seeds: 4 standard errors",
)
@pytest.mark.parametrize("seeds", [(2, 2), (2, 5), (5, 5)])
@pytest.mark.parametrize("spread", [0.01, 0.3])  # between seeds, in units of the images' sd
def test_intervals_hold_the_truth_as_often_as_they_say(
    seeds: tuple[int, int], spread: float
) -> None:
    """Values of an image: its own, that of the seed, and one of both together.

    With seeds: the truth is the difference of all such trainings on all such images. Without: that
    of these trainings on all such images.
    """
    random, trials, images = np.random.default_rng(1), 2000, 60
    held = np.zeros((trials, 2), bool)
    for trial in range(trials):
        shared = random.normal(size=images)
        runs, levels = [], []
        for count, sd in zip(seeds, (spread, 2 * spread), strict=True):
            level = random.normal(0, sd, (count, 1))
            own = 0.3 * random.normal(size=images) + 0.2 * random.normal(size=(count, images))
            runs.append(made(shared + level + own))
            levels.append(level.mean())
        found = compare(*runs)
        truth = levels[0] - levels[1]
        held[trial] = (
            found["lower"] <= truth <= found["upper"],
            found["lower_with_seeds"] <= 0 <= found["upper_with_seeds"],
        )
    tolerance = 4 * (0.95 * 0.05 / trials) ** 0.5
    narrow, wide = held.mean(0)
    assert abs(narrow - 0.95) < tolerance
    assert wide > 0.95 - tolerance


def test_the_interval_without_seeds_is_too_narrow_for_other_seeds() -> None:
    """Why there are two: what five seeds give differs from what the next five would."""
    random, missed = np.random.default_rng(2), 0
    for _ in range(300):
        one, other = (random.normal(0, 1, (5, 1)) + random.normal(size=(5, 60)) for _ in range(2))
        found = compare(made(one), made(other))
        missed += not found["lower"] <= 0 <= found["upper"]
    assert missed > 100


def frame(level: float, images: int = 6) -> pd.DataFrame:
    values = level + np.arange(images) / 10
    return pd.DataFrame(
        {
            "image": range(images),
            "elbo_nats": values - 1,
            "elbo_monte_carlo_error_nats": 0.1,
            "log_likelihood_nats": values,
            "log_likelihood_monte_carlo_error_nats": 0.2,
        }
    )


def test_all_pairs_of_a_kind_and_none_across_kinds() -> None:
    runs = {name: [frame(level)] for name, level in zip("abcde", (-9, -7, -8, -1, -2), strict=True)}
    binary, levels, other = ("digits", "binary"), ("digits", "levels"), ("mnist", "binary")
    of_run = dict(zip("abcde", (binary, binary, binary, levels, other), strict=True))
    found = comparisons(runs, of_run)
    pairs = list(zip(found["run"], found["other"], found["quantity"], strict=True))
    expected = itertools.product([("b", "c"), ("b", "a"), ("c", "a")], ["log_likelihood", "elbo"])
    assert pairs == [(one, two, name) for (one, two), name in expected]
    assert found["difference"].tolist() == pytest.approx([1, 1, 2, 2, 1, 1])
    assert tuple(found.columns) == COMPARISONS.names


def test_what_likelihoods_observe_is_known_of_each() -> None:
    known = read_schema()["$defs"]["run"]["properties"]["likelihood"]["enum"]
    assert sorted(OBSERVES) == sorted(known)
    assert set(OBSERVES.values()) <= set(WORDS)


def test_kinds_come_from_the_settings() -> None:
    rows = [("a", "training", "dataset", "tiny"), ("a", "training", "likelihood", "bernoulli")]
    settings = pd.DataFrame(rows, columns=["run", "part", "key", "value"])
    assert kinds(settings) == {"a": ("tiny", "binary")}


def test_other_test_images_are_refused(finished: Path) -> None:
    paths = sorted(finished.glob("results/runs/*/seed*/per_image.csv"))
    of_run = dict.fromkeys(("alpha", "beta"), ("tiny", "binary"))
    seeds = {run: len(frames) for run, frames in read_runs(paths, of_run).items()}
    assert seeds == {"alpha": 2, "beta": 2}
    lines = paths[3].read_text().splitlines()
    paths[3].write_text("\n".join(lines[:-1]) + "\n")
    with pytest.raises(InputError, match=r"other test images than .*alpha/seed1/per_image\.csv"):
        read_runs(paths, of_run)


def test_a_single_run_leaves_a_table_without_rows(
    tmp_path: Path,
    make_results: Callable[..., Path],
    script_jobs: Callable[[Path], list[dict[str, Any]]],
    scripts_runner: Callable[..., subprocess.CompletedProcess[str]],
) -> None:
    make_results(tmp_path, runs=["only"], seeds=[1])
    done = scripts_runner(script_jobs(tmp_path), cwd=tmp_path)
    assert done.returncode == 0, done.stderr
    path = tmp_path / "results/tables/comparisons.csv"
    assert read_table(path, COMPARISONS, may_be_empty=True).empty
    with pytest.raises(InputError, match="a header without rows"):
        read_table(path, COMPARISONS)
