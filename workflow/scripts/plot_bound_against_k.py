"""Draw how the bound on log p(x) rises with the number of importance samples, and where to."""

from typing import Any

from elboflow.figures import style
from elboflow.figures.bound_against_k import plot_bound_against_k
from elboflow.reading.columns import CURVE, SETTINGS, SUMMARY
from elboflow.reading.csv_tables import read_table
from elboflow.reading.snakemake_script import snakemake_script

snakemake: Any  # Snakemake puts it into scripts of `script:`


if __name__ == "__main__":
    with snakemake_script():
        figure = plot_bound_against_k(
            curves=read_table(snakemake.input.curves, CURVE.gathered),
            summary=read_table(snakemake.input.summary, SUMMARY),
            settings=read_table(snakemake.input.settings, SETTINGS),
        )
        style.save_figure(figure, snakemake.output.figure)
