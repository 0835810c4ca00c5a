"""Put our log p(x) beside published ones."""

from typing import Any

from elboflow.reading.columns import METRICS, RESULTS, SETTINGS, SUMMARY
from elboflow.reading.csv_tables import read_table, write_table
from elboflow.reading.reproduction import reproductions, tested_images, trained_passes
from elboflow.reading.snakemake_script import snakemake_script
from elboflow.specification.published import read_published

snakemake: Any  # Snakemake puts it into scripts of `script:`


if __name__ == "__main__":
    with snakemake_script():
        found = reproductions(
            read_table(snakemake.input.summary, SUMMARY),
            trained_passes(read_table(snakemake.input.training, METRICS.gathered)),
            tested_images(read_table(snakemake.input.runs, RESULTS.gathered)),
            read_table(snakemake.input.settings, SETTINGS),
            snakemake.params.published,
            read_published(snakemake.input.published),
        )
        write_table(found, snakemake.output.reproduction)
