"""Gather the results of all runs into tidy tables: sorted rows, six decimals, no clock, no host."""

from typing import Any

from elboflow.reading.result_files import CHECKS, CURVE, METRICS, UNITS, in_one_line
from elboflow.reading.tables import gather, gather_results, gather_settings, summarise, write

snakemake: Any  # Snakemake puts it into scripts of `script:`


if __name__ == "__main__":
    with in_one_line():
        results = gather_results(snakemake.input.summaries)
        write(results, snakemake.output.runs)
        write(summarise(results), snakemake.output.summary)
        write(gather(snakemake.input.metrics, METRICS, "epoch"), snakemake.output.training)
        write(gather(snakemake.input.units, UNITS, "unit"), snakemake.output.units)
        write(gather(snakemake.input.checks, CHECKS, "check"), snakemake.output.checks)
        curves = gather(snakemake.input.curves, CURVE, "samples")
        write(curves, snakemake.output.bound_against_k)
        write(gather_settings(snakemake.input.runs), snakemake.output.settings)
