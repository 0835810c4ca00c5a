"""The plane of rate R and distortion D: what models reach, what none can, and curves over beta.

No model has R + D, minus its ELBO, below the entropy H of the images, and it can always have more
of either. Alemi et al. 2018, Fixing a broken ELBO, arXiv:1711.00464.
"""

from collections.abc import Mapping, Sequence
from typing import Any

import numpy as np
import pandas as pd
from matplotlib.axes import Axes
from matplotlib.ticker import MaxNLocator

from elboflow.figures import style
from elboflow.reading.notation import number

SMALLEST_SPAN = 1.0  # nats, so that a single run is not blown up
MARGIN = 0.12  # of the span, on either side
WIDEST_VIEW = 2.0  # how many times as wide a view may become for the sake of what is impossible
ACHIEVED, IMPOSSIBLE = "#e6eff8", "#e4e4e4"
ALONG_DIAGONAL: dict[str, Any] = {
    "size": style.LETTERS,
    "rotation": -45,
    "rotation_mode": "anchor",
}

AxisLimits = tuple[float, float]


def beta_series(settings: pd.DataFrame) -> list[dict[str, float]]:
    """Beta of the runs whose trainings differ in it alone, each series in the order of beta."""
    betas: dict[str, float] = {}
    alike: dict[tuple[tuple[str, str], ...], list[str]] = {}
    for run, rows in settings[settings["part"] == "training"].groupby("run", sort=True):
        values = dict(zip(rows["key"], rows["value"], strict=True))
        if "beta" not in values:  # weights that were trained elsewhere
            continue
        betas[str(run)] = float(values.pop("beta"))
        alike.setdefault(tuple(sorted(values.items())), []).append(str(run))
    series = [sorted(runs, key=betas.__getitem__) for runs in alike.values() if len(runs) > 1]
    return [{run: betas[run] for run in runs} for runs in series]


def square(
    rate: pd.Series, distortion: pd.Series, error: float, entropy: float | None
) -> tuple[AxisLimits, AxisLimits]:
    """Limits of both axes, in nats: the same span, so that equal ELBOs lie on diagonals.

    Args:
        error: the largest bar, in nats.
        entropy: R + D that no model is below, shown unless that makes the view too wide.
            None where there is no such bound.
    """
    left, right, low, high = rate.min(), rate.max(), distortion.min(), distortion.max()
    span = max(SMALLEST_SPAN, right - left, high - low) + 2 * error
    if entropy is not None:
        shown = min(low, entropy - left - MARGIN * span)
        if high - shown < WIDEST_VIEW * span:
            low, span = shown, max(span, high - shown)
    half, middle = (0.5 + MARGIN) * span, (left + right) / 2
    # A rate is not negative.
    start = max(middle - half, min(left, 0) - MARGIN * span / 2)
    return (start, start + 2 * half), ((low + high) / 2 - half, (low + high) / 2 + half)


def frontier(rate: pd.Series, distortion: pd.Series) -> tuple[np.ndarray, np.ndarray]:
    """The least distortion that was measured at up to each rate: rates in order, distortions."""
    order = np.lexsort((distortion, rate))
    return rate.to_numpy()[order], np.minimum.accumulate(distortion.to_numpy()[order])


def draw_regions(axes: Axes, rate: pd.Series, distortion: pd.Series, entropy: float | None) -> None:
    """Tint what is right of and above a measured point, and shade where R + D < H."""
    (left, right), (bottom, top) = axes.get_xlim(), axes.get_ylim()
    rates, distortions = frontier(rate, distortion)
    along, least = [*rates, right], [*distortions, distortions[-1]]
    axes.fill_between(along, least, top, step="post", color=ACHIEVED, linewidth=0, zorder=-2)
    if entropy is None or entropy <= left + bottom:
        return
    ends = np.array([left, right])
    axes.fill_between(ends, entropy - ends, bottom, color=IMPOSSIBLE, linewidth=0, zorder=-1)
    axes.plot(ends, entropy - ends, ":", color=style.INK, linewidth=0.9, zorder=0)
    # Below the middle of the line's way through the view.
    x, gap = (max(left, entropy - top) + min(right, entropy - bottom)) / 2, 0.01 * (right - left)
    at = x - gap, entropy - x - gap
    axes.text(*at, "impossible", color=style.INK, ha="center", va="top", **ALONG_DIAGONAL)


def draw_equal_elbos(axes: Axes, entropy: float | None) -> None:
    """Diagonals on which rate + distortion, and so the ELBO, is the same: possible ones."""
    (left, right), (bottom, top) = axes.get_xlim(), axes.get_ylim()
    span, least = right - left, left + bottom if entropy is None else max(left + bottom, entropy)
    costs = np.asarray(
        MaxNLocator(nbins=9, steps=[1, 2, 2.5, 5, 10]).tick_values(left + bottom, right + top)
    )
    for cost in costs[(costs > least) & (costs < right + top)]:
        axes.axline((left, cost - left), slope=-1, color=style.FAINT, linewidth=0.8, zorder=0)
        # The label sits where the line enters through the left or the upper edge.
        x = max(cost - top, left) + 0.02 * span
        if x < right - 0.2 * span and cost - x > bottom + 0.2 * span:
            words = f"ELBO {number(-cost, 1).removesuffix('.0')}"
            axes.text(x, cost - x, words, color=style.SOFT, va="bottom", **ALONG_DIAGONAL)


def name_betas(axes: Axes, means: pd.DataFrame, series: Sequence[Mapping[str, float]]) -> None:
    """Say beta beside the runs of each series that are among the rows of `means`.

    No line joins them: it would cross what nobody measured.
    """
    for betas in series:
        for run in means.index.intersection(list(betas)):
            at = means.loc[run, "rate"], means.loc[run, "distortion"]
            axes.annotate(
                f"beta {betas[run]:g}", at, (7, 4), textcoords="offset points", color=style.INK
            )
