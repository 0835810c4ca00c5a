"""Draw the exact posterior over 2^K states beside its mean-field q, and the gap of every image."""

from typing import Any

from elboflow.chapter.plot_discrete import plot_discrete
from elboflow.chapter.tables import DISCRETE, STATES
from elboflow.figures import style
from elboflow.reading.result_files import in_one_line, read_table

snakemake: Any  # Snakemake puts it into scripts of `script:`


if __name__ == "__main__":
    with in_one_line():
        figure = plot_discrete(
            read_table(snakemake.input.discrete, DISCRETE),
            read_table(snakemake.input.states, STATES),
        )
        style.save(figure, snakemake.output.figure)
