"""Means over images of the estimates of log p(x) that runs have side by side, and of gaps."""

from typing import Any

from elboflow.reading.csv_tables import write_table
from elboflow.reading.snakemake_script import snakemake_script
from elboflow.reading.tables import means_over_seeds
from elboflow.reading.tables_bounds import bounds_of_runs

snakemake: Any  # Snakemake puts it into scripts of `script:`


if __name__ == "__main__":
    with snakemake_script():
        bounds = bounds_of_runs(snakemake.input.bounds)
        write_table(bounds, snakemake.output.bounds)
        write_table(means_over_seeds(bounds), snakemake.output.summary)
