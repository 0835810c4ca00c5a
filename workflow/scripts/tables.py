"""Gather the results of all runs into tidy tables: sorted rows, six decimals, no clock, no host."""

from typing import Any

from elboflow.reading.columns import CHECKS, CURVE, METRICS, UNITS
from elboflow.reading.csv_tables import write_table
from elboflow.reading.snakemake_script import snakemake_script
from elboflow.reading.tables import gather_results, gather_settings, means_over_seeds, stack

snakemake: Any  # Snakemake puts it into scripts of `script:`


if __name__ == "__main__":
    with snakemake_script():
        results = gather_results(snakemake.input.summaries)
        write_table(results, snakemake.output.runs)
        write_table(means_over_seeds(results), snakemake.output.summary)
        write_table(stack(snakemake.input.metrics, METRICS, "epoch"), snakemake.output.training)
        write_table(stack(snakemake.input.units, UNITS, "unit"), snakemake.output.units)
        write_table(stack(snakemake.input.checks, CHECKS, "check"), snakemake.output.checks)
        curves = stack(snakemake.input.curves, CURVE, "samples")
        write_table(curves, snakemake.output.bound_against_k)
        write_table(gather_settings(snakemake.input.runs), snakemake.output.settings)
