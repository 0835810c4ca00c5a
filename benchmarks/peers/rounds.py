"""Rounds in which every contender has a turn, and what their ratios say."""

import statistics
from collections.abc import Callable, Sequence
from dataclasses import dataclass


@dataclass(frozen=True)
class Turn:
    """What one contender reached, and the share of the machine that other processes took."""

    images_per_second: float
    others: float


@dataclass(frozen=True)
class Rounds:
    """Images per second by contender, round by round, and how many rounds were thrown away."""

    kept: list[dict[str, float]]
    thrown: int


@dataclass(frozen=True)
class Spread:
    median: float
    least: float
    most: float


def take_rounds(
    turn: Callable[[str], Turn],
    names: Sequence[str],
    wanted: int,
    most_others: float,
    most_thrown: int,
) -> Rounds:
    """Rounds until as many as `wanted` are undisturbed, or more than `most_thrown` were not.

    A round is given up at the first turn in which others took more than `most_others`. Each begins
    with another contender, so that none has always the same one before it.
    """
    kept: list[dict[str, float]] = []
    thrown = 0
    while len(kept) < wanted and thrown <= most_thrown:
        first = (len(kept) + thrown) % len(names)
        speeds: dict[str, float] = {}
        for name in [*names[first:], *names[:first]]:
            taken = turn(name)
            if taken.others > most_others:
                thrown += 1
                break
            speeds[name] = taken.images_per_second
        else:
            kept.append(speeds)
    return Rounds(kept, thrown)


def ratios(kept: Sequence[dict[str, float]], reference: str) -> dict[str, Spread]:
    """Of each contender to the reference in the same round: median, least and most over rounds."""
    return {name: spread([round_[name] / round_[reference] for round_ in kept]) for name in kept[0]}


def spread(values: Sequence[float]) -> Spread:
    return Spread(statistics.median(values), min(values), max(values))
