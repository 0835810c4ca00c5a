"""Draw how the ELBO of the test images splits into rate and distortion, and its gap to log p(x)."""

from typing import Any

from elboflow.figures import style
from elboflow.figures.rate_distortion import plot_rate_distortion
from elboflow.reading.result_files import RESULTS, SETTINGS, SUMMARY, in_one_line, read_table

snakemake: Any  # Snakemake puts it into scripts of `script:`


if __name__ == "__main__":
    with in_one_line():
        figure = plot_rate_distortion(
            results=read_table(snakemake.input.runs, RESULTS.gathered),
            summary=read_table(snakemake.input.summary, SUMMARY),
            settings=read_table(snakemake.input.settings, SETTINGS),
        )
        style.save(figure, snakemake.output.figure)
