"""How often intervals of differences between runs miss, counted over simulated reports.

    .venv/bin/python benchmarks/comparison_checks.py [results/runs/*/seed*/per_image.csv]

Several minutes on one core, seeded. Named tables of values per image become further cases: they are
drawn from with replacement, after all runs' means have been made equal. Ends with 1 where intervals
that should hold together exclude 0 in more than 5 % of the reports, beyond four standard errors.
"""

import itertools
import sys
from collections.abc import Callable, Iterator
from dataclasses import dataclass
from pathlib import Path

import numpy as np

sys.path.insert(0, str(Path(__file__).parents[1] / "workflow" / "scripts"))

from elboflow.reading.columns import PER_IMAGE
from elboflow.reading.comparisons import of_seeds
from elboflow.reading.csv_tables import read_table
from elboflow.reading.paired import COMPARED, Estimates, compare, joint_intervals

Values = np.ndarray  # shape (quantities, runs, seeds, images), in nats
Draw = Callable[[np.random.Generator], Values]
KINDS = {"alone": "{}", "together": "simultaneous_{}"}


def independent(runs: int, gain: float = 0) -> Draw:
    """397 images with unit noise of each run; the first is better by so many data errors."""

    def draw(random: np.random.Generator) -> Values:
        own = random.normal(size=(runs, 1, 397))
        own[0] += gain * np.sqrt(2 / 397)
        return np.stack([own, own - 0.1 * random.exponential(size=own.shape)])

    return draw


def skewed(runs: int) -> Draw:
    """Images that differ far more than runs do on them, differences of heavy tails and skewed."""

    def draw(random: np.random.Generator) -> Values:
        shape, sizes = (runs, 1, 397), np.linspace(0.1, 1, runs)[:, None, None]
        own = sizes * random.standard_t(4, shape) + random.exponential(size=shape)
        own += 10 * random.standard_t(3, size=397)
        return np.stack([own, own - 0.1 * random.exponential(size=shape)])

    return draw


def few_seeds(runs: int, seeds: int, ratio: float) -> Draw:
    """Every other run's spread over seeds is larger; the smaller one is that over images."""

    def draw(random: np.random.Generator) -> Values:
        sds = np.resize([1, ratio], runs)[:, None, None] / 397**0.5
        shared = random.normal(size=(runs, 1, 397)) + sds * random.normal(size=(runs, seeds, 1))
        return np.stack([shared, shared - 0.1 * random.exponential(size=shared.shape)])

    return draw


def measured(paths: list[str]) -> Draw:
    """Images of real tables, drawn with replacement, in which no run is better."""
    frames = [read_table(path, PER_IMAGE) for path in sorted(paths)]
    values = np.stack([[of_seeds([frame], name).values for frame in frames] for name in COMPARED])
    values -= values.mean(-1, keepdims=True)
    images = values.shape[-1]
    return lambda random: values[..., random.integers(images, size=images)]


@dataclass(frozen=True)
class Shares:
    """Shares of intervals and of reports that exclude 0, all of them wrong where runs are equal."""

    best: float  # of the intervals of the best run's log p(x) minus the others'
    with_best: float  # of the reports that have one of these
    with_any: float  # of the reports that have one of any pair in either quantity
    first: float  # of the intervals of the first run's log p(x) minus the others'


def report_of(values: Values) -> dict[tuple[str, int, int], dict[str, float]]:
    """The differences of all pairs of runs, by quantity and runs."""
    runs = range(values.shape[1])
    found = {
        run: {
            name: Estimates(of_runs[run], np.zeros_like(of_runs[run]))
            for name, of_runs in zip(COMPARED, values, strict=True)
        }
        for run in runs
    }
    pairs = list(itertools.combinations(runs, 2))
    together = joint_intervals(found, pairs)
    return {
        (name, one, other): compare(found[one][name], found[other][name], together)
        for name, (one, other) in itertools.product(COMPARED, pairs)
    }


def excluding(draw: Draw, suffix: str, reports: int) -> dict[str, Shares]:
    """The shares of simulated reports, for intervals of single pairs and for those together."""
    random = np.random.default_rng(0)
    counts: dict[str, list[list[float]]] = {kind: [] for kind in KINDS}
    for _ in range(reports):
        values = draw(random)
        rows, best = report_of(values), values[0].mean((1, 2)).argmax()
        for kind, column in KINDS.items():
            ends = [column.format(end) + suffix for end in ("lower", "upper")]
            wrong = {key: row[ends[0]] * row[ends[1]] > 0 for key, row in rows.items()}
            log_p = (
                {pair: found for (name, *pair), found in wrong.items() if name == COMPARED[0]}
                if False
                else {key[1:]: found for key, found in wrong.items() if key[0] == COMPARED[0]}
            )
            own = [found for pair, found in log_p.items() if best in pair]
            first = [found for pair, found in log_p.items() if 0 in pair]
            counts[kind].append([np.mean(own), any(own), any(wrong.values()), np.mean(first)])
    return {kind: Shares(*np.mean(found, axis=0)) for kind, found in counts.items()}


def cases(paths: list[str]) -> Iterator[tuple[str, Draw, str]]:
    """Name, draws and kind of interval, of runs that are equal."""
    for runs in (2, 4, 8):
        yield f"{runs} runs", independent(runs), ""
    for runs in (4, 8):
        yield f"{runs} runs, skewed", skewed(runs), ""
    if paths:
        yield f"{len(paths)} tables, made equal", measured(paths), ""
    for runs, seeds, ratio in itertools.product((2, 4, 8), (2, 5), (1, 10)):
        name = f"{runs} runs of {seeds} seeds, spreads 1:{ratio}"
        yield name, few_seeds(runs, seeds, ratio), "_with_seeds"


def main(paths: list[str]) -> int:
    reports, failed = 1000, 0
    print("| equal runs | intervals | best minus others | reports with one | with any |")
    print("|---|---|---|---|---|")
    for name, draw, suffix in cases(paths):
        for kind, wrong in excluding(draw, suffix, reports).items():
            shares = f"{wrong.best:.1%} | {wrong.with_best:.1%} | {wrong.with_any:.1%}"
            print(f"| {name} | {kind} | {shares} |", flush=True)
            limit = 0.05 + 4 * (0.05 * 0.95 / reports) ** 0.5
            failed += kind == "together" and wrong.with_any > limit
    print("\n| the first of 8 runs is better by | intervals | excluding 0 |\n|---|---|---|")
    for gain in (3, 4, 5):
        for kind, found in excluding(independent(8, gain), "", 300).items():
            print(f"| {gain} standard errors | {kind} | {found.first:.0%} |", flush=True)
    return int(failed > 0)


if __name__ == "__main__":
    sys.exit(main(sys.argv[1:]))
