"""Draw the ELBO of training and validation images per epoch, one panel per run."""

from typing import Any

from elboflow.figures import style
from elboflow.figures.training_curves import plot_training_curves
from elboflow.reading.result_files import METRICS, SETTINGS, in_one_line, read_table

snakemake: Any  # Snakemake puts it into scripts of `script:`


if __name__ == "__main__":
    with in_one_line():
        figure = plot_training_curves(
            training=read_table(snakemake.input.training, METRICS.gathered),
            settings=read_table(snakemake.input.settings, SETTINGS),
        )
        style.save(figure, snakemake.output.figure)
