"""The stages of a configuration that take long: what makes them, what they make, where they tell."""

from pathlib import Path
from typing import Any, NamedTuple

from elboflow.specification.check_dataset import TABLES
from elboflow.specification.resolve import Resolved


class Stage(NamedTuple):
    """One job.

    Args:
        doing: what is done while it runs, and `noun` what it is.
        states: where it tells how far it is (ranks/told.py); None where it does not.
    """

    doing: str
    noun: str
    rule: str
    wildcards: dict[str, str]
    output: Path
    log: Path
    states: Path | None = None


class Work(NamedTuple):
    """Stages that are shown as one row: those of a training, or one that all trainings wait for."""

    run: str
    seed: str
    stages: list[Stage]


def shared(results: Path, resolved: Resolved) -> list[Work]:
    """What all trainings, or those on one data set, wait for."""
    logs = results / "logs"
    built = results / "environment" / "build.json"
    tested = results / "machine" / "smoke_test" / "ranks.csv"
    build = Stage("building", "build", "build_environment", {}, built, logs / "build_environment.log")
    test = Stage("testing", "test", "smoke_test", {}, tested, logs / "smoke_test.log")
    found = [Work("(environment)", "", [build]), Work("(smoke test)", "", [test])]
    for name, values in resolved.datasets.items():
        rule = "fetch_table" if values["source"] in TABLES else "fetch_data"
        manifest = results / "data" / name / "manifest.json"
        log = logs / "fetch_data" / f"{name}.log"
        fetch = Stage("fetching", "fetching", rule, {"dataset": name}, manifest, log)
        found.append(Work(f"(data {name})", "", [fetch]))
    return found


def trainings(results: Path, resolved: Resolved) -> list[Work]:
    """Each training of each run, with all that measures it."""
    return [
        Work(run, str(seed), stages(results, run, seed, values, resolved.scores.get(run, [])))
        for run, values in resolved.runs.items()
        for seed in values["seeds"]
    ]


def stages(
    results: Path, run: str, seed: int, values: dict[str, Any], scored: list[str]
) -> list[Stage]:
    """Of one training; all but the first begin when that is done.

    Args:
        scored: other data sets that it is scored on.
    """
    place = Path(run, f"seed{seed}")
    made, state, logs = results / "runs" / place, results / "state" / place, results / "logs"
    own = {"run": run, "seed": str(seed)}

    def log(rule: str) -> Path:
        return logs / rule / f"{place}.log"

    found = [
        Stage("training", "training", "train", own, made / "model.safetensors", log("train"), state),
        Stage(
            *("evaluating", "evaluation", "evaluate", own, made / "summary.csv", log("evaluate")),
            state / "evaluate",
        ),
    ]
    if values["ais_images"]:
        bounds = ("annealing", "AIS", "ais_bounds", own, made / "bounds.csv", log("ais_bounds"))
        found.append(Stage(*bounds, state / "ais_bounds"))
    for name in scored:
        score = ("score", {**own, "dataset": name}, made / "scores" / f"{name}.csv")
        told = (logs / "score" / place / f"{name}.log", state / f"score_{name}")
        found.append(Stage(f"scoring {name}", f"scores of {name}", *score, *told))
    return found
