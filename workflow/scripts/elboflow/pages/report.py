"""Write the report: one deterministic HTML file with results, figures, settings and data."""

import json
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import pandas as pd

from elboflow.pages.answer import answers
from elboflow.pages.bounds import bounds_tables
from elboflow.pages.citation import citation
from elboflow.pages.comparisons import best_against_others, published_rows
from elboflow.pages.figure import figure, paragraphs
from elboflow.pages.gap_parts import gap_rows
from elboflow.pages.html import render
from elboflow.pages.numbers import numbers_files
from elboflow.pages.overfitting import overfitting_rows
from elboflow.pages.promises import promised
from elboflow.pages.rate import rate_rows
from elboflow.pages.scores import scores_table
from elboflow.pages.seeds import spreads
from elboflow.pages.settings import count_checks, own_models, split_settings, warnings_of
from elboflow.pages.tables import (
    HEADLINE,
    PER_SEED,
    exact_values,
    headline,
    precision_rows,
    repeated_images,
    trainings,
)
from elboflow.pages.two_sample import two_sample_rows
from elboflow.reading.columns import (
    CHECKS,
    COMPARISONS,
    REPRODUCTION,
    RESULTS,
    SCORES_SUMMARY,
    SETTINGS,
    SUMMARY,
)
from elboflow.reading.csv_tables import read_table
from elboflow.reading.json_files import read_manifest_json
from elboflow.reading.settings import kinds, likelihoods, setting
from elboflow.specification.published import read_published


@dataclass(frozen=True)
class Order:
    """Of the runs, in all tables: the best of each group that may be compared first."""

    runs: list[str]

    def rows(self, found: list[dict[str, Any]]) -> list[dict[str, Any]]:
        return sorted(found, key=lambda row: self.runs.index(row["run"]))

    def table(self, found: dict[str, Any], key: str = "rows") -> dict[str, Any]:
        return {**found, key: self.rows(found[key])}


def context(
    results: pd.DataFrame,
    summary: pd.DataFrame,
    checks: pd.DataFrame,
    settings: pd.DataFrame,
    comparisons: pd.DataFrame,
    reproduction: pd.DataFrame,
    published: Mapping[str, Any],
    manifests: Sequence[dict[str, Any]],
    bounds: pd.DataFrame | None = None,
    scores: pd.DataFrame | None = None,
) -> dict[str, Any]:
    """What the template prints, but for the introduction and the figures."""
    manifests = sorted(manifests, key=lambda manifest: manifest["dataset"])
    groups = headline(summary, kinds(settings), likelihoods(settings), manifests)
    best_first = [row["name"] for group in groups for row in group["rows"] if not row["baseline"]]
    order, samples = Order(best_first), setting(settings, "importance_samples")
    return {
        "counts": {"runs": len(best_first), "trainings": len(trainings(results))},
        **of_data(manifests),
        "warnings": order.rows(warnings_of(checks)),
        "checks": count_checks(checks),
        "answers": answers(groups, summary, comparisons, checks),
        "headline": groups,
        "comparisons": best_against_others(comparisons, samples),
        "published": published_rows(reproduction, published),
        "bounds": [order.table(table) for table in bounds_tables(bounds)],
        "gap_parts": order.table(gap_rows(bounds, settings)),
        "scores": order.table(scores_table(scores, setting(settings, "dataset")), "runs"),
        "trainings": order.rows(trainings(results)),
        **of_summary(summary, settings, order),
        **dict(zip(("differing", "shared"), split_settings(settings, best_first), strict=True)),
    }


def of_data(manifests: Sequence[dict[str, Any]]) -> dict[str, Any]:
    """The data sets, and which images they have more than once."""
    repeated = {manifest["dataset"]: repeated_images(manifest) for manifest in manifests}
    return {
        "datasets": manifests,
        "shared_images": [(name, text) for name in repeated for text in repeated[name][0]],
        "repeated_images": {name: texts[0] + texts[1] for name, texts in repeated.items()},
    }


def of_summary(summary: pd.DataFrame, settings: pd.DataFrame, order: Order) -> dict[str, Any]:
    """What stands in the summary of the runs, beside the numbers of the first table."""
    return {
        "columns": [{"quantity": name, "heading": heading} for name, heading, _ in HEADLINE],
        "seed_columns": [heading for _, heading, _ in PER_SEED],
        "own_models": order.table(own_models(summary, settings)),
        "spreads": spreads(summary),
        "overfitting": order.rows(overfitting_rows(summary)),
        "rate_parts": order.table(rate_rows(summary)),
        "two_sample": order.rows(two_sample_rows(summary)),
        "exact_values": order.rows(exact_values(summary)),
        "precision_effects": order.rows(precision_rows(summary, setting(settings, "precision"))),
    }


def read_context(given: Any) -> dict[str, Any]:
    """The same, read from the input files of rule report, by their names there."""
    return context(
        results=read_table(given.runs, RESULTS.gathered),
        summary=read_table(given.summary, SUMMARY),
        checks=read_table(given.checks, CHECKS.gathered),
        settings=read_table(given.settings, SETTINGS),
        comparisons=read_table(given.comparisons, COMPARISONS, may_be_empty=True),
        reproduction=read_table(given.reproduction, REPRODUCTION, may_be_empty=True),
        published=read_published(given.published),
        manifests=[read_manifest_json(path) for path in given.manifests],
        bounds=read_table(given.bounds[0], SUMMARY) if given.bounds else None,
        scores=read_table(given.scores[0], SCORES_SUMMARY) if given.scores else None,
    )


def report_page(
    given: Any,
    figure_tables: Mapping[str, Sequence[str]],
    chapter: bool,
    origin: Mapping[str, Any] | None = None,
) -> str:
    """The page, from the input files of rule report.

    Args:
        figure_tables: by figure the names of the tables that it is drawn from.
        chapter: whether the page on what the ELBO is lies beside it.
        origin: what origin.made_now says.
    """
    values = read_context(given)
    return render(
        Path(given.template),
        origin=origin,
        introduction=paragraphs(given.introduction),
        missing=json.loads(Path(given.missing[0]).read_text()) if given.missing else [],
        promises=promised(given.promises),
        citation=citation(given.citation),
        numbers=numbers_files(given.numbers),
        figures=[
            figure(path, caption, figure_tables.get(Path(path).stem, ()), **values["counts"])
            for path, caption in zip(given.figures, given.captions, strict=True)
        ],
        chapter=chapter,
        **values,
    )
