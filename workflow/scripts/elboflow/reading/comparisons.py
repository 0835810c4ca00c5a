"""Paired differences between runs that were tested on the same images, with their errors.

Each has the interval of its pair alone and one that holds together with those of all other pairs of
its group and both quantities: it holds also for a best run that was chosen on these images. Those
of log p(x) are of log p(x) itself, not of its estimates, which are too low by an unknown bias.
"""

import itertools
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from pathlib import Path

import numpy as np
import pandas as pd

from elboflow.reading.columns import COMPARISONS, PER_IMAGE
from elboflow.reading.csv_tables import read_table
from elboflow.reading.errors import InputError
from elboflow.reading.paths import run_and_seed
from elboflow.reading.simultaneous import critical_value, half_width

COMPARED = ("log_likelihood", "elbo")


@dataclass(frozen=True)
class Estimates:
    """A quantity of one run in nats, and its Monte Carlo errors, both of shape (seeds, images).

    shortfall: by how much the mean may be too low, the upper end of a 95 % interval; 0 where it has
        no bias.
    """

    values: np.ndarray
    errors: np.ndarray
    shortfall: float = 0.0

    @property
    def monte_carlo_error(self) -> float:
        """Of the mean over seeds and images, whose noise is independent."""
        return float(np.sqrt(np.square(self.errors).sum()) / self.errors.size)

    @property
    def seed_variance(self) -> float:
        """Of the mean over seeds, from their spread; nan for one seed."""
        seeds = len(self.values)
        return float(self.values.mean(1).var(ddof=1) / seeds) if seeds > 1 else np.nan


@dataclass(frozen=True)
class JointIntervals:
    """Intervals that are to hold together: how many, and their width in data errors."""

    size: int
    critical: float


def joint_intervals(
    measured: Mapping[str, Mapping[str, Estimates]], pairs: Sequence[tuple[str, str]]
) -> JointIntervals:
    """Of the differences of all pairs of runs, in both quantities."""
    place = {key: column for column, key in enumerate(itertools.product(COMPARED, measured))}
    values = np.stack([measured[run][name].values.mean(0) for name, run in place], axis=1)
    chosen = [(place[name, one], place[name, other]) for name in COMPARED for one, other in pairs]
    return JointIntervals(len(chosen), critical_value(values, chosen))


def compare(one: Estimates, other: Estimates, together: JointIntervals) -> dict[str, float]:
    """The mean difference per image, one - other, with the errors of COMPARISONS.

    data_error, lower, upper: of these trained models on other images like the test's, from the
        differences per image of values averaged over seeds (Miller, arXiv:2411.00640). They
        contain the Monte Carlo noise of the single images.
    monte_carlo_error: of the difference for these images. Runs of one seed share their noise, which
        seldom makes the difference worse; it is counted as independent.
    seed_error, lower_with_seeds, upper_with_seeds: of what such trainings give, with the variance
        between seeds of either run added (Bouthillier et al., arXiv:2103.03098). Seeds are not
        paired: one seed does not start different networks alike. What images and seeds do
        together is in both variances, so that the interval is rather too wide than too narrow.
    simultaneous_*: the same limits of intervals that hold together, by max-t over the images, and
        with seeds, of which there are few, by Bonferroni.

    All intervals reach further down by the shortfall of the other run and further up by this one's:
    the true difference is that of the expected estimates, plus this run's bias, less the other's.
    """
    differences = one.values.mean(0) - other.values.mean(0)
    mean, images = float(differences.mean()), len(differences)
    data = float(differences.var(ddof=1) / images)
    seeds = [one.seed_variance, other.seed_variance]
    freedoms = [images - 1, len(one.values) - 1, len(other.values) - 1]
    variances = [data, *seeds]
    halves = {
        "{}": half_width(variances[:1], freedoms[:1]),
        "{}_with_seeds": half_width(variances, freedoms),
        "simultaneous_{}": together.critical * data**0.5,
        "simultaneous_{}_with_seeds": half_width(variances, freedoms, together.size),
    }
    return {
        "difference": mean,
        "data_error": data**0.5,
        "monte_carlo_error": float(np.hypot(one.monte_carlo_error, other.monte_carlo_error)),
        "seed_error": float(np.sqrt(sum(seeds))),
        "run_shortfall": one.shortfall,
        "other_shortfall": other.shortfall,
        **{
            column.format(end): mean + sign * (half + bias)
            for column, half in halves.items()
            for end, sign, bias in (("lower", -1, other.shortfall), ("upper", 1, one.shortfall))
        },
        "run_seeds": len(one.values),
        "other_seeds": len(other.values),
        "images": images,
    }


def of_seeds(frames: Sequence[pd.DataFrame], quantity: str, shortfall: float = 0.0) -> Estimates:
    """One quantity of all seeds of a run."""
    columns = f"{quantity}_nats", f"{quantity}_monte_carlo_error_nats"
    values, errors = (np.stack([frame[name].to_numpy() for frame in frames]) for name in columns)
    return Estimates(values, errors, shortfall)


def shortfalls(summary: pd.DataFrame) -> dict[str, float]:
    """By how much the estimate of each run's log p(x) may be too low, in nats per image."""
    means = summary.pivot(index="run", columns="quantity", values="mean")
    missing = means["log_likelihood_upper"] - means["log_likelihood"]
    return dict(missing.clip(lower=0))


def comparisons(
    runs: Mapping[str, Sequence[pd.DataFrame]],
    of_run: Mapping[str, tuple[str, str]],
    missing: Mapping[str, float],
) -> pd.DataFrame:
    """All pairs of runs of one kind, in each pair the better log p(x) first.

    Args:
        runs: the values per image of each run's seeds.
        of_run: data set of each run and what it observes: only equal ones are compared.
        missing: shortfall of each run's log p(x). The ELBO has none.
    """
    rows = []
    measured = {
        run: {
            "log_likelihood": of_seeds(frames, "log_likelihood", missing[run]),
            "elbo": of_seeds(frames, "elbo"),
        }
        for run, frames in runs.items()
    }
    for kind in sorted(set(of_run.values())):
        ranked = sorted(
            (run for run in runs if of_run[run] == kind),
            key=lambda run: (-measured[run]["log_likelihood"].values.mean(), run),
        )
        if len(ranked) < 2:
            continue
        pairs = list(itertools.combinations(ranked, 2))
        together = joint_intervals({run: measured[run] for run in ranked}, pairs)
        for (one, other), name in itertools.product(pairs, COMPARED):
            found = compare(measured[one][name], measured[other][name], together)
            names = {"dataset": kind[0], "observes": kind[1], "quantity": name}
            rows.append({**names, "run": one, "other": other, **found})
    return pd.DataFrame(rows, columns=list(COMPARISONS.names))


def read_per_image(
    paths: Sequence[str | Path], of_run: Mapping[str, tuple[str, str]]
) -> dict[str, list[pd.DataFrame]]:
    """The values per image of each run's seeds; those of one kind must be of the same images."""
    runs: dict[str, list[pd.DataFrame]] = {}
    first: dict[tuple[str, str], tuple[str | Path, pd.Series]] = {}
    for path in sorted(paths, key=run_and_seed):
        frame = read_table(path, PER_IMAGE)
        run, _ = run_and_seed(path)
        named, images = first.setdefault(of_run[run], (path, frame["image"]))
        if not images.equals(frame["image"]):
            raise InputError(f"{path}: other test images than {named}; delete both and run again")
        runs.setdefault(run, []).append(frame)
    return runs
