"""Draw, for single images, the exact posterior and the best q of each family, and their costs."""

from typing import Any

import numpy as np

from elboflow.chapter.plot_posteriors import plot_posteriors
from elboflow.chapter.tables import COMPONENTS, POSTERIORS
from elboflow.figures import style
from elboflow.reading.csv_tables import read_table
from elboflow.reading.snakemake_script import snakemake_script

snakemake: Any  # Snakemake puts it into scripts of `script:`


if __name__ == "__main__":
    with snakemake_script(), np.load(snakemake.input.grid) as grid:
        figure = plot_posteriors(
            read_table(snakemake.input.posteriors, POSTERIORS),
            read_table(snakemake.input.components, COMPONENTS),
            grid,
        )
        style.save_figure(figure, snakemake.output.figure)
