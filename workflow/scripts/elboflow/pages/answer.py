"""What the report says first: which model is best, by how much, and which numbers to trust."""

from collections.abc import Mapping, Sequence
from typing import Any

import pandas as pd

from elboflow.pages.comparisons import interval_of
from elboflow.pages.settings import FOUND
from elboflow.pages.tables import log_likelihood_interval
from elboflow.reading.notation import number, significant

TRUSTED = "trusted"
WITHIN = "(95 %)"
MOST_NAMED = 3  # runs, each with its interval


def answers(
    headline: Sequence[Mapping[str, Any]],
    summary: pd.DataFrame,
    comparisons: pd.DataFrame,
    checks: pd.DataFrame,
) -> list[dict[str, Any]]:
    """For each group of runs that may be compared a few sentences, and verdicts of its runs.

    Args:
        headline: the groups of the main table, whose runs stand in the order of log p(x).
    """
    found = []
    for group in headline:
        runs = [row["name"] for row in group["rows"] if not row["baseline"]]
        verdicts = verdicts_of(runs, checks)
        pairs = against_best(runs, comparisons)
        level = [run for run in runs[1:] if run in pairs and pairs[run]["simultaneous_lower"] <= 0]
        sentences = [best_of(group, runs, summary, level), *ahead_of(runs, pairs, level)]
        found.append({"sentences": sentences, "verdicts": verdicts, "by_run": by_run(runs, checks)})
    return found


def best_of(
    group: Mapping[str, Any], runs: Sequence[str], summary: pd.DataFrame, level: Sequence[str]
) -> str:
    """log p(x) of the best run, where it lies, and what is above it.

    Args:
        level: runs that may be as good.
    """
    own = summary[summary["run"] == runs[0]].set_index("quantity")
    mean, error = own["mean"]["log_likelihood"], own["data_error"]["log_likelihood"]
    images = f"the {group['images']} test images of {group['dataset']}"
    value = f"log p(x) = {number(mean, 2)} ± {significant(error, 2)} nats per image"
    told = (
        f"{runs[0]} explains {images} best{', by the estimates' if level else ''}: {value}"
        if len(runs) > 1
        else f"{runs[0]} gives {images} {value}"
    )
    interval = log_likelihood_interval(own)
    where = "exactly" if interval == "exact" else f"of these images within {interval} {WITHIN}"
    floor = ""
    if "noise_floor" in own.index:
        below = number(own["mean"]["noise_floor"] - mean, 1)
        floor = f", {below} below the noise floor, which on average no model passes"
    return f"{told}, {where}{floor}."


def against_best(runs: Sequence[str], comparisons: pd.DataFrame) -> dict[str, pd.Series]:
    """The difference in log p(x) of the best run from each other, by its name."""
    rows = comparisons[
        (comparisons["run"] == runs[0])
        & comparisons["other"].isin(runs)
        & (comparisons["quantity"] == "log_likelihood")
    ]
    return {str(row["other"]): row for _, row in rows.iterrows()}


def ahead_of(
    runs: Sequence[str], pairs: Mapping[str, pd.Series], level: Sequence[str]
) -> list[str]:
    """By how much the best run is ahead of the next, for whom that holds, and of whom it is not."""
    told = [
        f"{run} cannot be told from it: the difference is {_shown(pairs[run])} nats {WITHIN}."
        for run in level
    ]
    if len(level) > MOST_NAMED:
        named = ", ".join(level[:MOST_NAMED])
        told = [f"{named} and {len(level) - MOST_NAMED} others cannot be told from it {WITHIN}."]
    following = [run for run in runs[1:] if run in pairs and run not in level]
    return [*(ahead_of_one(run, pairs[run]) for run in following[:1]), *told]


def _shown(row: pd.Series) -> str:
    low, high = row["simultaneous_lower"], row["simultaneous_upper"]
    return interval_of(low, high, row["data_error"])


def ahead_of_one(run: str, row: pd.Series) -> str:
    """By how much the best run is ahead of another, whose trainings are surely worse."""
    ahead = f"These trainings are ahead of {run}'s by {_shown(row)} nats {WITHIN}"
    if not row["seed_error"] >= 0:
        return f"{ahead}; whether those of other seeds are, one seed does not tell."
    with_seeds = row["simultaneous_lower_with_seeds"], row["simultaneous_upper_with_seeds"]
    wide = interval_of(*with_seeds, row["seed_error"])
    if with_seeds[0] > 0:
        return f"{ahead}, and with any seeds by {wide}."
    return f"{ahead}; whether those of other seeds are, so few do not tell ({wide})."


def verdicts_of(runs: Sequence[str], checks: pd.DataFrame) -> list[tuple[str, list[str]]]:
    """Verdicts, the good one first, with the runs that have them."""
    said: dict[str, list[str]] = {TRUSTED: []}
    for run in runs:
        for verdict, extent in verdicts_of_run(run, checks):
            said.setdefault(verdict, []).append(run + extent)
    return [(verdict, names) for verdict, names in said.items() if names]


def by_run(runs: Sequence[str], checks: pd.DataFrame) -> dict[str, str]:
    """The verdicts of each run in words."""
    return {run: "; ".join(map("".join, verdicts_of_run(run, checks))) for run in runs}


def verdicts_of_run(run: str, checks: pd.DataFrame) -> list[tuple[str, str]]:
    """Each with a remark on how many trainings it holds of, empty if it does of all."""
    own = checks[checks["run"] == run]
    failed = own[own["status"] != "ok"].groupby("check")["seed"].nunique()
    seeds = own["seed"].nunique()
    return [
        (FOUND[str(check)], "" if count == seeds else f" ({count} of {seeds} trainings)")
        for check, count in failed.items()
    ] or [(TRUSTED, "")]
