"""Draw the ELBO of one image over mean and width of q, and its two parts along the width."""

from typing import Any

from elboflow.chapter.plot_surface import plot_surface
from elboflow.chapter.tables import SURFACE
from elboflow.figures import style
from elboflow.reading.csv_tables import read_table
from elboflow.reading.snakemake_script import snakemake_script

snakemake: Any  # Snakemake puts it into scripts of `script:`


if __name__ == "__main__":
    with snakemake_script():
        style.save_figure(
            plot_surface(read_table(snakemake.input.surface, SURFACE)), snakemake.output.figure
        )
