"""The report of what is whole so far, made in a folder of its own beside a sweep that still runs.

That folder has links to all that the report is made from, and a Snakemake of its own: it waits for
no lock, and can write nothing that the running one writes.
"""

import json
import os
import subprocess
import sys
from collections.abc import Mapping, Sequence
from pathlib import Path
from typing import Any

from elboflow.specification.resolve import Resolved

# All that reads what stages wrote; without the rules of stages nothing can be computed by mistake.
RULES = (
    *("gather_tables", "gather_bounds", "gather_scores"),
    *("comparisons", "reproduction", "paper", "report"),
)
MISSING = "missing.json"  # in the folder of an experiment: the page is of a part, and says so
NOT_LINKED = {"results", ".snakemake"}


def configuration(
    config: Mapping[str, Any], whole: Mapping[str, Sequence[int]], name: str
) -> dict[str, Any]:
    """A configuration of the trainings that are whole alone, without what else takes time.

    Args:
        config: with the runs of its sweeps among its own.
        whole: seeds by run.
        name: of the experiment.
    """
    runs = {run: {**config["runs"][run], "seeds": list(seeds)} for run, seeds in whole.items()}
    scores = {run: names for run, names in (config.get("scores") or {}).items() if run in runs}
    part = {"name": name, "runs": runs, "scores": scores or None, "chapter": False, "scaling": None}
    return {**{key: value for key, value in config.items() if key != "sweeps"}, **part}


def files_outside(resolved: Resolved) -> list[str]:
    """The user's files that a configuration names by paths which begin with `..`."""
    named = [data[key] for data in resolved.datasets.values() for key in ("path", "data_dir")]
    named += [path for run in resolved.runs.values() for path in run["files"]]
    paths = {os.path.normpath(path) for path in named if path}
    return sorted(path for path in paths if path.startswith(".."))


def new_folder(temporary: Path, outside: Sequence[str]) -> Path:
    """A folder in a temporary one, from which such paths lead to the same files as from here."""
    deepest = max((Path(path).parts.count("..") for path in outside), default=0)
    folder = temporary.joinpath(*["so_far"] * deepest)
    folder.mkdir(parents=True, exist_ok=True)
    for path in outside:
        link = Path(os.path.normpath(folder / path))
        if not link.exists():
            link.parent.mkdir(parents=True, exist_ok=True)
            link.symlink_to(Path(path).resolve())
    return folder


def prepare(
    folder: Path, config: Mapping[str, Any], results: Path, experiment: Path, missing: list[Any]
) -> Path:
    """Link in a new folder what a report is made from; the folder of the experiment in it.

    Args:
        results, experiment: the real ones.
        missing: what the page says is not in it.
    """
    for path in Path.cwd().iterdir():
        if path.name not in NOT_LINKED:
            (folder / path.name).symlink_to(path)
    part = folder / "results" / str(config["name"])
    part.mkdir(parents=True)
    (folder / "results" / "data").symlink_to((results / "data").resolve())
    for run, values in config["runs"].items():
        made, linked = (experiment / "runs" / run).resolve(), part / "runs" / run
        linked.mkdir(parents=True)
        for path in made.iterdir():
            seeds = {f"seed{seed}" for seed in values["seeds"]}
            if path.is_file() or path.name in seeds:
                (linked / path.name).symlink_to(path)
    (part / MISSING).write_text(json.dumps(missing))
    (folder / "so_far.yaml").write_text(json.dumps(config))
    return part


def make_page(folder: Path, part: Path, captions: Sequence[Path]) -> Path:
    """Run Snakemake in a folder that was prepared; the page.

    Args:
        captions: of figures, whose rules are called after them.

    Raises:
        subprocess.CalledProcessError: with what Snakemake printed.
    """
    page = part / "report.html"
    rules = [*RULES, *(f"plot_{caption.stem}" for caption in captions)]
    words = [sys.executable, "-I", "-m", "snakemake", str(page.relative_to(folder))]
    words += ["--snakefile", str(Path("Snakefile").resolve()), "--directory", str(folder)]
    words += ["--configfile", str(folder / "so_far.yaml"), "--cores", "1"]
    subprocess.run(
        [*words, "--allowed-rules", *rules],
        stdout=subprocess.PIPE,
        stderr=subprocess.STDOUT,
        text=True,
        check=True,
    )
    return page
