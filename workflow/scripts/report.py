"""Write the report: one deterministic HTML file with results, figures, settings and data."""

from pathlib import Path
from typing import Any

from elboflow.pages.html import render, write_page
from elboflow.pages.promises import promised
from elboflow.pages.report import chapter, context, figure, paragraphs
from elboflow.reading.columns import CHECKS, COMPARISONS, REPRODUCTION, RESULTS, SETTINGS, SUMMARY
from elboflow.reading.csv_tables import read_table
from elboflow.reading.json_files import read_manifest_json
from elboflow.reading.snakemake_script import snakemake_script
from elboflow.specification.published import read_published

snakemake: Any  # Snakemake puts it into scripts of `script:`


if __name__ == "__main__":
    with snakemake_script():
        values = context(
            results=read_table(snakemake.input.runs, RESULTS.gathered),
            summary=read_table(snakemake.input.summary, SUMMARY),
            checks=read_table(snakemake.input.checks, CHECKS.gathered),
            settings=read_table(snakemake.input.settings, SETTINGS),
            comparisons=read_table(snakemake.input.comparisons, COMPARISONS, may_be_empty=True),
            reproduction=read_table(snakemake.input.reproduction, REPRODUCTION, may_be_empty=True),
            published=read_published(snakemake.input.published),
            manifests=[read_manifest_json(path) for path in snakemake.input.manifests],
            bounds=read_table(snakemake.input.bounds[0], SUMMARY)
            if snakemake.input.bounds
            else None,
        )
        figures = [
            figure(path, paragraphs(caption, **values["counts"]))
            for path, caption in zip(snakemake.input.figures, snakemake.input.captions, strict=True)
        ]
        introduction = paragraphs(snakemake.input.introduction)
        html = render(
            Path(snakemake.input.template),
            introduction=introduction,
            promises=promised(snakemake.input.promises),
            figures=figures,
            chapter=chapter(
                snakemake.input.chapter_tables,
                snakemake.input.chapter_figures,
                snakemake.input.chapter_captions,
            ),
            **values,
        )
        write_page(snakemake.output.report, html)
