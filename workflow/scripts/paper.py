"""One row per run, ready for a paper: as CSV, and as a LaTeX table for the package booktabs."""

from typing import Any

from elboflow.reading.columns import SETTINGS, SUMMARY
from elboflow.reading.csv_tables import read_table
from elboflow.reading.paper import paper_table, write_paper
from elboflow.reading.snakemake_script import snakemake_script

snakemake: Any  # Snakemake puts it into scripts of `script:`


if __name__ == "__main__":
    with snakemake_script():
        table = paper_table(
            read_table(snakemake.input.summary, SUMMARY),
            read_table(snakemake.input.settings, SETTINGS),
        )
        write_paper(table, snakemake.output.csv, snakemake.output.tex)
