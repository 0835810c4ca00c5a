"""One row per run, ready for a paper: as CSV, and as a LaTeX table for the package booktabs."""

from pathlib import Path
from typing import Any

from elboflow.files.whole import write_bytes, write_result
from elboflow.reading.columns import SETTINGS, SUMMARY
from elboflow.reading.csv_tables import read_table
from elboflow.reading.paper import latex, paper_table
from elboflow.reading.snakemake_script import snakemake_script

snakemake: Any  # Snakemake puts it into scripts of `script:`


if __name__ == "__main__":
    with snakemake_script():
        table = paper_table(
            read_table(snakemake.input.summary, SUMMARY),
            read_table(snakemake.input.settings, SETTINGS),
        )
        content = table.to_csv(index=False, lineterminator="\n")
        write_result(snakemake.output.csv, content.encode())
        write_bytes(Path(snakemake.output.tex), latex(table).encode())
