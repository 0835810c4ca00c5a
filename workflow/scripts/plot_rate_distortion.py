"""Draw how the ELBO of the test images splits into rate and distortion, and its gap to log p(x)."""

from typing import Any

from elboflow.figures import style
from elboflow.figures.rate_distortion import plot_rate_distortion
from elboflow.reading.columns import RESULTS, SETTINGS, SUMMARY
from elboflow.reading.csv_tables import read_table
from elboflow.reading.snakemake_script import snakemake_script

snakemake: Any  # Snakemake puts it into scripts of `script:`


if __name__ == "__main__":
    with snakemake_script():
        figure = plot_rate_distortion(
            results=read_table(snakemake.input.runs, RESULTS.gathered),
            summary=read_table(snakemake.input.summary, SUMMARY),
            settings=read_table(snakemake.input.settings, SETTINGS),
        )
        style.save_figure(figure, snakemake.output.figure)
