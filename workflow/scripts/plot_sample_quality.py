"""Draw what tells images that a model makes from test images."""

from typing import Any

from elboflow.figures import style
from elboflow.figures.sample_quality import plot_sample_quality
from elboflow.reading.columns import SETTINGS, SUMMARY
from elboflow.reading.csv_tables import read_table
from elboflow.reading.snakemake_script import snakemake_script

snakemake: Any  # Snakemake puts it into scripts of `script:`


if __name__ == "__main__":
    with snakemake_script():
        figure = plot_sample_quality(
            summary=read_table(snakemake.input.summary, SUMMARY),
            settings=read_table(snakemake.input.settings, SETTINGS),
        )
        style.save_figure(figure, snakemake.output.figure)
