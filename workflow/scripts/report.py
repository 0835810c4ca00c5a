"""Write the report: one deterministic HTML file with results, figures, settings and data."""

import base64
from collections.abc import Sequence
from pathlib import Path
from typing import Any

import pandas as pd
from html_page import render, write_page
from jinja2 import StrictUndefined, Template
from json_files import read_manifest
from report_tables import (
    HEADLINE,
    PER_SEED,
    count_checks,
    headline,
    precision_effects,
    split_settings,
    trainings,
)
from result_files import (
    CHECKS,
    RESULTS,
    SETTINGS,
    SUMMARY,
    in_one_line,
    read_table,
    setting,
)

snakemake: Any  # Snakemake puts it into scripts of `script:`

TITLES = {
    "training_curves": "Training curves",
    "rate_distortion": "Rate and distortion",
    "reconstructions": "Reconstructions",
    "samples": "Samples",
}


def paragraphs(caption: str | Path, **params: Any) -> list[str]:
    """The paragraphs of a caption, with the numbers that Snakemake's own report would fill in."""
    text = Path(caption).read_text(encoding="utf-8")
    filled = Template(text, undefined=StrictUndefined).render(snakemake={"params": params})
    return [part.strip() for part in filled.split("\n\n") if part.strip()]


def figure(path: str | Path, caption: Sequence[str]) -> dict[str, Any]:
    """A figure as a data URI: the ids inside one SVG cannot meet those of another."""
    name = Path(path).stem
    title = TITLES[name]
    data = base64.b64encode(Path(path).read_bytes()).decode("ascii")
    return {
        "name": name,
        "title": title,
        "uri": f"data:image/svg+xml;base64,{data}",
        "alt": f"{title}. {caption[0]}",
        "caption": caption,
    }


def context(
    results: pd.DataFrame,
    summary: pd.DataFrame,
    checks: pd.DataFrame,
    settings: pd.DataFrame,
    manifests: Sequence[dict[str, Any]],
) -> dict[str, Any]:
    """What the template prints, but for the introduction and the figures."""
    manifests = sorted(manifests, key=lambda manifest: manifest["dataset"])
    differing, shared = split_settings(settings)
    rows = trainings(results)
    return {
        "counts": {"runs": summary["run"].nunique(), "trainings": len(rows)},
        "datasets": manifests,
        "warnings": checks[checks["status"] != "ok"].to_dict("records"),
        "checks": count_checks(checks),
        "columns": [heading for _, heading, _ in HEADLINE],
        "headline": headline(summary, setting(settings, "dataset"), manifests),
        "seed_columns": [heading for _, heading, _ in PER_SEED],
        "trainings": rows,
        "precision_effects": precision_effects(summary, setting(settings, "precision")),
        "differing": differing,
        "shared": shared,
    }


if __name__ == "__main__":
    with in_one_line():
        values = context(
            results=read_table(snakemake.input.runs, RESULTS.gathered),
            summary=read_table(snakemake.input.summary, SUMMARY),
            checks=read_table(snakemake.input.checks, CHECKS.gathered),
            settings=read_table(snakemake.input.settings, SETTINGS),
            manifests=[read_manifest(path) for path in snakemake.input.manifests],
        )
        figures = [
            figure(path, paragraphs(caption, **values["counts"]))
            for path, caption in zip(snakemake.input.figures, snakemake.input.captions, strict=True)
        ]
        introduction = paragraphs(snakemake.input.introduction)
        html = render(
            Path(snakemake.input.template), introduction=introduction, figures=figures, **values
        )
        write_page(snakemake.output.report, html)
