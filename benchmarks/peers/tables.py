"""Rounds as tables in Markdown: the long ones of RESULTS.md, and two of medians for README.md."""

import re
import statistics
from collections.abc import Mapping, Sequence
from dataclasses import dataclass

from peers.rounds import Rounds, Spread, ratios

LIMIT = "products"  # the contender that computes nothing else
BEGIN, END = "<!-- side_by_side.py writes from here -->", "<!-- to here -->"


@dataclass(frozen=True)
class Comparison:
    """Contenders by name in their order, with what is printed of them, and their rounds.

    Args:
        reference: the contender that the others are divided by.
        reached: mean nats of the test images, by name: what each one's work was worth.
        quantity: what these are.
    """

    title: str
    labels: Mapping[str, str]
    reference: str
    rounds: Rounds
    reached: Mapping[str, float]
    quantity: str


def results(comparisons: Sequence[Comparison]) -> str:
    """A section with a table and the number of rounds for each comparison."""
    return "\n\n".join(section(one) for one in comparisons)


def section(one: Comparison) -> str:
    kept = one.rounds.kept
    to_reference, to_limit = ratios(kept, one.reference), ratios(kept, LIMIT)
    columns = f"median | least | most | images/s | of the products | {one.quantity}, nats"
    lines = [f"## {one.title}", "", f"| | {columns} |", "|---|" + "---|" * 6]
    for name, label in one.labels.items():
        spread, share = to_reference[name], to_limit[name].median
        speed = statistics.median(speeds[name] for speeds in kept)
        cells = [f"{value:.2f}" for value in (spread.median, spread.least, spread.most)]
        cells += [_speed(speed), f"{share:.0%}", _reached(one, name)]
        lines.append(f"| {label} | " + " | ".join(cells) + " |")
    counted = (
        f"Rounds kept: {len(kept)}; thrown away since others were at work: {one.rounds.thrown}."
    )
    return "\n".join([*lines, "", counted])


def short_table(comparisons: Sequence[Comparison], first: str) -> str:
    """Medians, with least and most, of comparisons of the same contenders; one column each.

    Args:
        first: the heading of the first column.
    """
    spreads = [ratios(one.rounds.kept, one.reference) for one in comparisons]
    head = [first, *(one.title for one in comparisons)]
    head += [f"{one.quantity}, {one.title}" for one in comparisons]
    lines = ["| " + " | ".join(head) + " |", "|---|" + "---|" * (len(head) - 1)]
    for name, label in comparisons[0].labels.items():
        cells = [_in_words(spread[name]) for spread in spreads]
        cells += [_reached(one, name) for one in comparisons]
        lines.append(f"| {label} | " + " | ".join(cells) + " |")
    return "\n".join(lines)


def between_markers(text: str, content: str) -> str:
    """The text with `content` between its markers, instead of what is there.

    Raises:
        ValueError: it has not one pair of them.
    """
    marked = f"{BEGIN}\n{content}\n{END}"
    pattern = f"{re.escape(BEGIN)}.*?{re.escape(END)}"
    replaced, count = re.subn(pattern, lambda _: marked, text, flags=re.DOTALL)
    if count != 1:
        raise ValueError(f"{count} pairs of {BEGIN} and {END}, one is needed")
    return replaced


def _in_words(spread: Spread) -> str:
    return f"{spread.median:.2f} ({spread.least:.2f} to {spread.most:.2f})"


def _reached(one: Comparison, name: str) -> str:
    return f"{one.reached[name]:.2f}" if name in one.reached else ""


def _speed(images_per_second: float) -> str:
    return f"{images_per_second:,.0f}"
