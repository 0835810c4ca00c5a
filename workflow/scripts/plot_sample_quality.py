"""Draw what tells images that a model makes from test images."""

from typing import Any

from elboflow.figures import style
from elboflow.figures.sample_quality import plot_sample_quality
from elboflow.reading.result_files import SETTINGS, SUMMARY, in_one_line, read_table

snakemake: Any  # Snakemake puts it into scripts of `script:`


if __name__ == "__main__":
    with in_one_line():
        figure = plot_sample_quality(
            summary=read_table(snakemake.input.summary, SUMMARY),
            settings=read_table(snakemake.input.settings, SETTINGS),
        )
        style.save(figure, snakemake.output.figure)
