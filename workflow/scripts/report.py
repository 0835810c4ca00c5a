"""Write the report: one deterministic HTML file with results, figures, settings and data."""

from typing import Any

from elboflow.pages.html import write_page
from elboflow.pages.origin import made_now
from elboflow.pages.report import report_page
from elboflow.reading.snakemake_script import snakemake_script

snakemake: Any  # Snakemake puts it into scripts of `script:`


if __name__ == "__main__":
    with snakemake_script():
        told = snakemake.params
        html = report_page(
            snakemake.input, told.figure_tables, told.chapter, made_now(told.configuration)
        )
        write_page(snakemake.output.report, html)
