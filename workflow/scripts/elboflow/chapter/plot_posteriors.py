"""Draw, for single images, the exact posterior and the best q of each family, and their costs."""

from collections.abc import Mapping, Sequence
from typing import Any

import matplotlib.pyplot as plt
import numpy as np
import pandas as pd
from matplotlib.axes import Axes
from matplotlib.figure import Figure
from matplotlib.ticker import MaxNLocator

from elboflow.chapter.mixture import FAMILIES
from elboflow.chapter.tables import COMPONENTS, POSTERIORS
from elboflow.figures import style
from elboflow.reading.csv_tables import read_table
from elboflow.reading.notation import number
from elboflow.vae.measure.quadrature import Array, log_integral, log_prior

MASSES = (0.5, 0.9, 0.99)  # inside the contours
SIDE, EVERY = 8, 2  # pixels of an image, and nodes of the grid that are drawn
SYMBOLS = {
    "o": "\N{BLACK CIRCLE}",
    "s": "\N{BLACK SQUARE}",
    "D": "\N{BLACK DIAMOND}",
    "*": "\N{BLACK STAR}",
}
FAMILY_MARKERS = dict(zip((family.name for family in FAMILIES), SYMBOLS, strict=True))


def contour_levels(density: Array, axis: Array) -> list[float]:
    """The heights above which a density holds the masses of MASSES, rising."""
    heights = np.sort(density.ravel())[::-1]
    inside = np.cumsum(heights) * (axis[1] - axis[0]) ** 2
    return sorted(float(heights[np.searchsorted(inside, mass)]) for mass in MASSES)


def mixture_density(parts: pd.DataFrame, axis: Array) -> Array:
    """q on the grid from its table of components, shape (n, n)."""
    z = np.stack(np.meshgrid(axis, axis, indexing="ij"), -1)
    total = np.zeros(z.shape[:-1])
    for _, part in parts.iterrows():
        covariance = np.array(
            [[part["variance_1"], part["covariance"]], [part["covariance"], part["variance_2"]]]
        )
        away = z - np.array([part["mean_1"], part["mean_2"]])
        distance = np.einsum("...i,ij,...j", away, np.linalg.inv(covariance), away)
        scale = 2 * np.pi * np.sqrt(np.linalg.det(covariance))
        total += part["weight"] * np.exp(-0.5 * distance) / scale
    return total


def limits(density: Array, axis: Array) -> list[tuple[float, float]]:
    """A square around what holds 99 % of the posterior."""
    inside = density > contour_levels(density, axis)[0]
    ends = [axis[np.nonzero(inside.any(other))[0][[0, -1]]] for other in (1, 0)]
    half = 0.62 * max(high - low for low, high in ends)
    return [(float(sum(end) / 2 - half), float(sum(end) / 2 + half)) for end in ends]


def draw_q(axes: Axes, exact: Array, q: Array, axis: Array, labelled: bool) -> None:
    """q as lines over the exact posterior in grey, at the same masses."""
    levels = contour_levels(exact, axis)
    axes.contourf(
        axis, axis, exact.T, levels=[*levels, exact.max()], colors=["#dedede", "#bdbdbd", "#909090"]
    )
    axes.contour(
        axis, axis, q.T, levels=contour_levels(q, axis), colors=style.COLOURS[0], linewidths=1.3
    )
    x, y = limits(exact, axis)
    axes.set(xlim=x, ylim=y, aspect="equal")
    axes.grid(visible=False)
    for side in (axes.xaxis, axes.yaxis):
        side.set_major_locator(MaxNLocator(3, integer=True))
    axes.tick_params(labelleft=labelled)


def draw_costs(axes: Axes, rows: pd.DataFrame) -> None:
    """Rate against distortion of each family; along a diagonal the ELBO is the same."""
    evidence = rows["log_p_nats"].iloc[0]
    spans = [(rows[key].min(), rows[key].max()) for key in ("rate_nats", "distortion_nats")]
    x, y = ((low + high) / 2 for low, high in spans)
    half = max(0.75 * max(high - low for low, high in spans), 0.6 * (x + y + evidence))
    axes.set(xlim=(x - half, x + half), ylim=(y - half, y + half), aspect="equal")
    axes.axline((0, -evidence), slope=-1, color=style.INK, linewidth=1.2)
    for _, row in rows.iterrows():
        axes.axline((0, -row["elbo_nats"]), slope=-1, color=style.FAINT, linewidth=0.8, zorder=0)
        size = 9 if row["family"] == FAMILIES[-1].name else 6
        look = {"color": style.COLOURS[0], "markersize": size, **style.EDGE}
        axes.plot(row["rate_nats"], row["distortion_nats"], FAMILY_MARKERS[row["family"]], **look)
    axes.grid(visible=False)
    axes.xaxis.set_major_locator(MaxNLocator(2))
    axes.yaxis.set_major_locator(MaxNLocator(4))


def draw_image(axes: Axes, binary: Array, name: str) -> None:
    axes.imshow(binary.reshape(SIDE, SIDE), cmap="gray", vmin=0, vmax=1, interpolation="none")
    axes.set(xticks=[], yticks=[])
    axes.set_xlabel(name)
    axes.grid(visible=False)


def draw_image_row(
    row: Sequence[Axes], own: pd.DataFrame, parts: pd.DataFrame, exact: Array, axis: Array
) -> None:
    """The panels of one image behind that of its pixels, from its rows of both tables."""
    own = own.set_index("family")
    for axes, family in zip(row[:-1], FAMILIES, strict=True):
        name = family.name
        q = mixture_density(parts[parts["family"] == name], axis)
        draw_q(axes, exact, q, axis, labelled=axes is row[0])
        gap = number(own["gap_nats"].loc[name], 4)
        words = name.replace(" ", "\n", 1)
        axes.set_title(f"{SYMBOLS[FAMILY_MARKERS[name]]} {words}\ngap {gap}")
    draw_costs(row[-1], own.reset_index())
    row[0].set_ylabel("z\N{SUBSCRIPT TWO}")
    row[-1].set_ylabel("distortion (nats)")


def exact_posteriors(grid: Mapping[str, Array]) -> tuple[Array, Array]:
    """The nodes that are drawn, and p(z | x) on them, shape (images, n, n)."""
    axis = grid["axis"][::EVERY]
    joint = grid["log_likelihood"][:, ::EVERY, ::EVERY] + log_prior(axis)
    return axis, np.exp(joint - log_integral(joint, axis)[:, None, None])


def plot_posteriors(
    measured: pd.DataFrame, parts: pd.DataFrame, grid: Mapping[str, Array]
) -> Figure:
    """One row per image: the image, a panel for each family, and their rates and distortions."""
    style.apply()
    axis, posteriors = exact_posteriors(grid)
    widths = [0.7, *[1] * len(FAMILIES), 1.15]
    size = (style.WIDTH, 1.9 * len(posteriors) + 0.4)
    figure, panels = plt.subplots(
        len(posteriors), len(widths), figsize=size, width_ratios=widths, squeeze=False
    )
    shown = zip(panels, grid["image"].tolist(), grid["binary"], posteriors, strict=True)
    for row, image, pixels, exact in shown:
        own = measured[measured["image"] == image]
        evidence = number(own["log_p_nats"].iloc[0], 3)
        draw_image(row[0], pixels, f"image {image}\nlog p(x) =\n{evidence}")
        draw_image_row(row[1:], own, parts[parts["image"] == image], exact, axis)
    for axes in panels[-1][1:-1]:
        axes.set_xlabel("z\N{SUBSCRIPT ONE}")
    panels[-1][-1].set_xlabel("rate (nats)")
    title = "black: rate\n+ distortion\n= \N{MINUS SIGN}log p(x)"
    panels[0][-1].set_title(title)
    return figure


def draw(inputs: Any) -> Figure:
    """The figure of the files that its rule names."""
    with np.load(inputs.grid) as grid:
        return plot_posteriors(
            read_table(inputs.posteriors, POSTERIORS),
            read_table(inputs.components, COMPONENTS),
            grid,
        )
