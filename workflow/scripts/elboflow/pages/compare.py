"""Put the runs of several experiments on one page, those of the same test images side by side."""

from pathlib import Path
from typing import Any
from urllib.parse import quote

import pandas as pd

from elboflow.pages.comparisons import best_against_others
from elboflow.pages.html import render
from elboflow.pages.origin import git_commit, is_marked
from elboflow.reading.columns import PER_IMAGE, RESULTS, SETTINGS, SUMMARY
from elboflow.reading.comparisons import comparisons, shortfalls
from elboflow.reading.csv_tables import read_table
from elboflow.reading.errors import InputError
from elboflow.reading.json_files import Expected, is_text, read_json
from elboflow.reading.notation import with_error
from elboflow.reading.settings import by_run, kinds

MINUS = "\N{MINUS SIGN}"
DEFAULT = "default"  # what the experiment in results/ itself is called
QUANTITIES = ("log_likelihood", "elbo", "rate", "distortion")
MODEL: Expected = {"digests": {"data": is_text}}


class Gathered:
    """Runs of several experiments, called EXPERIMENT/RUN."""

    def __init__(self) -> None:
        self.images: dict[str, list[pd.DataFrame]] = {}  # values per image of each seed
        self.of_run: dict[str, tuple[str, str]] = {}  # data set with its digest, what is observed
        self.missing: dict[str, float] = {}  # shortfall of log p(x), nats per image
        self.samples: dict[str, str] = {}
        self.values: dict[str, dict[str, str]] = {}  # means with their data errors

    def add(self, experiment: str, folder: Path) -> None:
        """All runs of a finished experiment."""
        tables = folder / "tables"
        if not (tables / "summary.csv").is_file():
            raise InputError(
                f"{tables}: no tables there; run experiment {experiment} to its end first"
            )
        settings = read_table(tables / "settings.csv", SETTINGS)
        results = read_table(tables / "runs.csv", RESULTS.gathered)
        summary = read_table(tables / "summary.csv", SUMMARY)
        short, keys = shortfalls(summary), by_run(settings)
        for run, (dataset, observes) in kinds(settings).items():
            name = f"{experiment}/{run}"
            # Those of the tables: seeds that the configuration no longer names lie there as well.
            numbers = sorted(set(results.loc[results["run"] == run, "seed"]))
            seeds = [folder / "runs" / run / f"seed{seed}" / "per_image.csv" for seed in numbers]
            if not seeds or not all(path.is_file() for path in seeds):
                raise InputError(f"{folder}: no values of run {run}; run {experiment} to its end")
            data = read_json(seeds[0].with_name("model.json"), MODEL)["digests"]["data"]
            self.images[name] = [read_table(path, PER_IMAGE) for path in seeds]
            self.of_run[name] = (f"{dataset} {data[:8]}", observes)
            self.missing[name] = short[run]
            self.samples[name] = keys[run]["importance_samples"]
            rows = summary[summary["run"] == run].set_index("quantity")
            self.values[name] = {
                quantity: with_error(row["mean"], row["data_error"]).replace("-", MINUS)
                for quantity, row in rows.iterrows()
                if quantity in QUANTITIES
            }

    def groups(self) -> list[dict[str, Any]]:
        """Runs by data set, the best log p(x) first, with what each is less than the best."""
        found = best_against_others(
            comparisons(self.images, self.of_run, self.missing), self.samples
        )
        for group in found:
            names = [group["best"], *(other["name"] for other in group["others"])]
            group["values"] = {name: self.values[name] for name in names}
            group["less"] = {other["name"]: other["cells"][0] for other in group["others"]}
        return found


def compare_page(template: Path, results: Path, experiments: list[str]) -> str:
    """The page of several experiments, from their tables and values per image."""
    gathered, reports = Gathered(), {}
    for name in experiments:
        folder = results if name == DEFAULT else results / name
        gathered.add(name, folder)
        reports[name] = folder / "report.html"
    groups = gathered.groups()
    compared = {name for group in groups for name in group["values"]}
    alone = sorted(set(gathered.values) - compared)
    return render(
        template,
        commit=git_commit(Path(__file__).parent),
        links={name: quote(str(path.relative_to(results))) for name, path in reports.items()},
        out_of_date=[name for name, path in reports.items() if is_marked(path)],
        groups=groups,
        alone=[(name, *gathered.of_run[name], gathered.values[name]) for name in alone],
        quantities=QUANTITIES,
    )
