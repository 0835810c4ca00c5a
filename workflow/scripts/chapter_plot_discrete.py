"""Draw the exact posterior over 2^K states beside its mean-field q, and the gap of every image."""

from typing import Any

from elboflow.chapter.plot_discrete import plot_discrete
from elboflow.chapter.tables import DISCRETE, STATES
from elboflow.figures import style
from elboflow.reading.csv_tables import read_table
from elboflow.reading.snakemake_script import snakemake_script

snakemake: Any  # Snakemake puts it into scripts of `script:`


if __name__ == "__main__":
    with snakemake_script():
        figure = plot_discrete(
            read_table(snakemake.input.discrete, DISCRETE),
            read_table(snakemake.input.states, STATES),
        )
        style.save_figure(figure, snakemake.output.figure)
