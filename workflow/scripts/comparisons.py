"""Paired differences between runs that were tested on the same images, with their errors."""

from typing import Any

from elboflow.reading.columns import SETTINGS, SUMMARY
from elboflow.reading.comparisons import comparisons, read_per_image, shortfalls
from elboflow.reading.csv_tables import read_table, write_table
from elboflow.reading.settings import kinds
from elboflow.reading.snakemake_script import snakemake_script

snakemake: Any  # Snakemake puts it into scripts of `script:`


if __name__ == "__main__":
    with snakemake_script():
        of_run = kinds(read_table(snakemake.input.settings, SETTINGS))
        missing = shortfalls(read_table(snakemake.input.summary, SUMMARY))
        found = comparisons(read_per_image(snakemake.input.per_image, of_run), of_run, missing)
        write_table(found, snakemake.output.comparisons)
