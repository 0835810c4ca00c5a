"""Draw what each dimension of z carries: KL and variance of its posterior mean, a row per run."""

from typing import Any

from elboflow.figures import style
from elboflow.figures.latent_dimensions import plot_latent_dimensions
from elboflow.reading.columns import SETTINGS, UNITS
from elboflow.reading.csv_tables import read_table
from elboflow.reading.snakemake_script import snakemake_script

snakemake: Any  # Snakemake puts it into scripts of `script:`


if __name__ == "__main__":
    with snakemake_script():
        figure = plot_latent_dimensions(
            read_table(snakemake.input.units, UNITS.gathered),
            read_table(snakemake.input.settings, SETTINGS),
        )
        style.save_figure(figure, snakemake.output.figure)
