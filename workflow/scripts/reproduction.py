"""Put our log p(x) beside published ones."""

from typing import Any

from elboflow.reading.reproduction import reproductions, tested_images, trained_passes
from elboflow.reading.result_files import (
    METRICS,
    RESULTS,
    SETTINGS,
    SUMMARY,
    in_one_line,
    read_table,
)
from elboflow.reading.tables import write
from elboflow.specification.published import read_published

snakemake: Any  # Snakemake puts it into scripts of `script:`


if __name__ == "__main__":
    with in_one_line():
        found = reproductions(
            read_table(snakemake.input.summary, SUMMARY),
            trained_passes(read_table(snakemake.input.training, METRICS.gathered)),
            tested_images(read_table(snakemake.input.runs, RESULTS.gathered)),
            read_table(snakemake.input.settings, SETTINGS),
            snakemake.params.published,
            read_published(snakemake.input.published),
        )
        write(found, snakemake.output.reproduction)
