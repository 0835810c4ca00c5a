"""Paired differences between runs that were tested on the same images, with their errors."""

from typing import Any

from elboflow.reading.columns import SETTINGS, SUMMARY
from elboflow.reading.comparisons import compare_runs
from elboflow.reading.csv_tables import read_table, write_table
from elboflow.reading.snakemake_script import snakemake_script

snakemake: Any  # Snakemake puts it into scripts of `script:`


if __name__ == "__main__":
    with snakemake_script():
        found = compare_runs(
            read_table(snakemake.input.settings, SETTINGS),
            read_table(snakemake.input.summary, SUMMARY),
            snakemake.input.per_image,
        )
        write_table(found, snakemake.output.comparisons)
