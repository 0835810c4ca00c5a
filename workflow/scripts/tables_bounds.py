"""Means over images of the estimates of log p(x) that runs have side by side, and of gaps."""

from typing import Any

from elboflow.reading.result_files import in_one_line
from elboflow.reading.tables import summarise, write
from elboflow.reading.tables_bounds import gather

snakemake: Any  # Snakemake puts it into scripts of `script:`


if __name__ == "__main__":
    with in_one_line():
        bounds = gather(snakemake.input.bounds)
        write(bounds, snakemake.output.bounds)
        write(summarise(bounds), snakemake.output.summary)
