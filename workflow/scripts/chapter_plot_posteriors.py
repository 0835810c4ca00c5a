"""Draw, for single images, the exact posterior and the best q of each family, and their costs."""

from typing import Any

import numpy as np

from elboflow.chapter.plot_posteriors import EVERY, plot_posteriors
from elboflow.chapter.tables import COMPONENTS, POSTERIORS
from elboflow.figures import style
from elboflow.reading.csv_tables import read_table
from elboflow.reading.snakemake_script import snakemake_script
from elboflow.vae.measure.quadrature import log_integral, log_prior

snakemake: Any  # Snakemake puts it into scripts of `script:`


def main() -> None:
    with np.load(snakemake.input.grid) as grid:
        axis, binary = grid["axis"][::EVERY], grid["binary"]
        joint = grid["log_likelihood"][:, ::EVERY, ::EVERY] + log_prior(axis)
        exact = np.exp(joint - log_integral(joint, axis)[:, None, None])
        posteriors = dict(zip(grid["image"].tolist(), exact, strict=True))
    figure = plot_posteriors(
        read_table(snakemake.input.posteriors, POSTERIORS),
        read_table(snakemake.input.components, COMPONENTS),
        posteriors, binary, axis,
    )  # fmt: skip
    style.save_figure(figure, snakemake.output.figure)


if __name__ == "__main__":
    with snakemake_script():
        main()
