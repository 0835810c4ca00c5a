"""Draw what each dimension of z carries: KL and variance of its posterior mean, a row per run."""

from typing import Any

from elboflow.figures import style
from elboflow.figures.latent_dimensions import plot_latent_dimensions
from elboflow.reading.result_files import SETTINGS, UNITS, in_one_line, read_table

snakemake: Any  # Snakemake puts it into scripts of `script:`


if __name__ == "__main__":
    with in_one_line():
        figure = plot_latent_dimensions(
            read_table(snakemake.input.units, UNITS.gathered),
            read_table(snakemake.input.settings, SETTINGS),
        )
        style.save(figure, snakemake.output.figure)
