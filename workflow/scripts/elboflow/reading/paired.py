"""The difference of two runs on the same images, with its errors and intervals."""

import itertools
from collections.abc import Mapping, Sequence
from dataclasses import dataclass

import numpy as np

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
    """Of the differences of all pairs of runs, in those quantities that both have."""
    known = [key for key in itertools.product(COMPARED, measured) if key[0] in measured[key[1]]]
    place = {key: column for column, key in enumerate(known)}
    values = np.stack([measured[run][name].values.mean(0) for name, run in place], axis=1)
    chosen = [
        (place[name, one], place[name, other])
        for name in COMPARED
        for one, other in pairs
        if (name, one) in place and (name, other) in place
    ]
    return JointIntervals(len(chosen), critical_value(values, chosen))


def half_widths(
    one: Estimates, other: Estimates, data: float, together: JointIntervals
) -> dict[str, float]:
    """Half of each interval, under the names of its ends; `data` is the variance of the mean."""
    variances = [data, one.seed_variance, other.seed_variance]
    freedoms = [one.values.shape[1] - 1, len(one.values) - 1, len(other.values) - 1]
    return {
        "{}": half_width(variances[:1], freedoms[:1]),
        "{}_with_seeds": half_width(variances, freedoms),
        "simultaneous_{}": together.critical * data**0.5,
        "simultaneous_{}_with_seeds": half_width(variances, freedoms, together.size),
    }


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
    halves = half_widths(one, other, data, together)
    return {
        "difference": mean,
        "data_error": data**0.5,
        "monte_carlo_error": float(np.hypot(one.monte_carlo_error, other.monte_carlo_error)),
        "seed_error": float(np.sqrt(one.seed_variance + other.seed_variance)),
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
