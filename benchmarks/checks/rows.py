"""A number of vae/ beside what it has to be."""

from dataclasses import dataclass
from typing import Any

import numpy as np
from torch import Tensor

STANDARD_ERRORS, ROUNDED = 5.0, 1e-9


@dataclass(frozen=True)
class Row:
    """A number of vae/, in nats or without a unit, and what it has to be."""

    quantity: str
    expected: float
    computed: float
    tolerance: float = ROUNDED
    side: str = ""  # ≤ or ≥ where `expected` is a bound

    @property
    def holds(self) -> bool:
        over = self.computed - self.expected
        return {"≤": over, "≥": -over}.get(self.side, abs(over)) <= self.tolerance

    def __str__(self) -> str:
        expected, computed = (
            f"{v:.1e}" if 0 < abs(v) < 1e-6 else f"{v:.6f}" for v in (self.expected, self.computed)
        )
        off = f"{self.computed - self.expected:.1e} | {self.tolerance:.1e}"
        verdict = "" if self.holds else " FAILED"
        wanted = f"{self.side} {expected}".strip()
        return f"{self.quantity} | {wanted} | {computed} | {off}{verdict} |"


def largest(what: str, expected: Any, computed: Any) -> Row:
    """The largest difference of arrays that should be equal."""
    difference = np.abs(np.asarray(computed) - np.asarray(expected)).max()
    return Row(f"{what}, largest difference", 0.0, float(difference))


def sampled(what: str, expected: float, draws: Tensor, side: str = "") -> Row:
    """The mean of independent draws, shape (n,)."""
    error = draws.std().item() / len(draws) ** 0.5
    return Row(what, expected, draws.mean().item(), STANDARD_ERRORS * error, side)


def counted(what: str, promised: float, hits: Any, side: str = "") -> Row:
    """The share of independent repeats in which something came out, such as an interval covers.

    Args:
        hits: one truth value per repeat.
        side: "≥" where at least `promised` is promised, as of a coverage; "≤" as of a size.
    """
    hits = np.asarray(hits, dtype=float)
    error = (promised * (1 - promised) / len(hits)) ** 0.5
    name = f"{what}, share of {len(hits)}"
    return Row(name, promised, float(hits.mean()), STANDARD_ERRORS * error, side)


def estimated(what: str, exact: Tensor, found: Tensor, error: Tensor) -> Row:
    """The mean over images of estimates with Monte Carlo errors, all of shape (B,)."""
    tolerance = STANDARD_ERRORS * error.norm().item() / len(error)
    return Row(what, exact.mean().item(), found.mean().item(), tolerance)
