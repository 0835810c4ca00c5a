"""Draw precision against recall, and reliability, of two classifiers."""

from typing import Any

from elboflow.chapter.plot_classifiers import plot_classifiers
from elboflow.chapter.tables import CLASSIFIERS, CURVES, RELIABILITY
from elboflow.figures import style
from elboflow.reading.csv_tables import read_table
from elboflow.reading.snakemake_script import snakemake_script

snakemake: Any  # Snakemake puts it into scripts of `script:`


if __name__ == "__main__":
    with snakemake_script():
        figure = plot_classifiers(
            curves=read_table(snakemake.input.curves, CURVES),
            classifiers=read_table(snakemake.input.classifiers, CLASSIFIERS),
            reliability=read_table(snakemake.input.reliability, RELIABILITY),
        )
        style.save_figure(figure, snakemake.output.figure)
