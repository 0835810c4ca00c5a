"""Draw the ELBO of training and validation images per epoch, one panel per run."""

from typing import Any

from elboflow.figures import style
from elboflow.figures.training_curves import plot_training_curves
from elboflow.reading.columns import METRICS, SETTINGS
from elboflow.reading.csv_tables import read_table
from elboflow.reading.snakemake_script import snakemake_script

snakemake: Any  # Snakemake puts it into scripts of `script:`


if __name__ == "__main__":
    with snakemake_script():
        figure = plot_training_curves(
            training=read_table(snakemake.input.training, METRICS.gathered),
            settings=read_table(snakemake.input.settings, SETTINGS),
        )
        style.save_figure(figure, snakemake.output.figure)
