"""Paired differences between runs that were tested on the same images, with their errors."""

from typing import Any

from elboflow.reading.comparisons import comparisons, read_runs, shortfalls
from elboflow.reading.result_files import SETTINGS, SUMMARY, in_one_line, kinds, read_table
from elboflow.reading.tables import write

snakemake: Any  # Snakemake puts it into scripts of `script:`


if __name__ == "__main__":
    with in_one_line():
        of_run = kinds(read_table(snakemake.input.settings, SETTINGS))
        missing = shortfalls(read_table(snakemake.input.summary, SUMMARY))
        found = comparisons(read_runs(snakemake.input.per_image, of_run), of_run, missing)
        write(found, snakemake.output.comparisons)
