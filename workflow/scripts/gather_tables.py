"""Gather the results of all runs into tidy tables: sorted rows, six decimals, no clock, no host."""

from typing import Any

from elboflow.reading.csv_tables import write_table
from elboflow.reading.snakemake_script import snakemake_script
from elboflow.reading.tables import all_tables

snakemake: Any  # Snakemake puts it into scripts of `script:`


if __name__ == "__main__":
    with snakemake_script():
        given = snakemake.input
        found = all_tables(
            runs=given.runs,
            summaries=given.summaries,
            metrics=given.metrics,
            units=given.units,
            checks=given.checks,
            curves=given.curves,
            descriptions=given.descriptions,
        )
        for name, table in found.items():
            write_table(table, getattr(snakemake.output, name))
