"""The stages of a configuration that take long: their rules, what they make, where they tell."""

from pathlib import Path
from typing import Any, NamedTuple

from elboflow.specification.check_dataset import TABLES
from elboflow.specification.resolve import Resolved


class Stage(NamedTuple):
    """One job.

    Args:
        doing: what is done while it runs, and `noun` what it is.
        told: where it tells how far it is (ranks/told.py); None where it does not.
        inputs: files that are renewed when it is to be done again.
    """

    doing: str
    noun: str
    rule: str
    wildcards: dict[str, str]
    output: Path
    log: Path
    told: Path | None = None
    inputs: tuple[Path, ...] = ()


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
    build = Stage(
        "building", "build", "build_environment", {}, built, logs / "build_environment.log"
    )
    test = Stage("testing", "test", "smoke_test", {}, tested, logs / "smoke_test.log")
    found = [Work("(environment)", "", [build]), Work("(smoke test)", "", [test])]
    for name, values in resolved.datasets.items():
        rule = "fetch_table" if values["source"] in TABLES else "fetch_data"
        manifest = results / "data" / name / "manifest.json"
        log = logs / "fetch_data" / f"{name}.log"
        fetch = Stage("fetching", "fetching", rule, {"dataset": name}, manifest, log)
        found.append(Work(f"(data {name})", "", [fetch]))
    return found


def trainings(experiment: Path, resolved: Resolved) -> list[Work]:
    """Each training of each run, with all that measures it.

    Args:
        experiment: the folder of its results.
    """
    return [
        Work(run, str(seed), stages(experiment, run, seed, values, resolved.scores.get(run, [])))
        for run, values in resolved.runs.items()
        for seed in values["seeds"]
    ]


def stages(
    experiment: Path,
    run: str,
    seed: int,
    values: dict[str, Any],
    scored: list[str],
) -> list[Stage]:
    """Of one training; all but the first begin when that is done.

    Args:
        scored: other data sets that it is scored on.
    """
    place = Path(run, f"seed{seed}")
    made, logs = experiment / "runs" / place, experiment / "logs"
    state = experiment / "state" / place
    own = {"run": run, "seed": str(seed)}

    def stage(doing: str, noun: str, rule: str, output: str, told: Path) -> Stage:
        file = {"train": "training", "evaluate": "evaluation"}.get(rule, rule)
        specification = experiment / "runs" / run / f"{file}.json"
        inputs = (specification, *([] if rule == "train" else [made / "model.safetensors"]))
        log = logs / rule / f"{place}.log"
        return Stage(doing, noun, rule, own, made / output, log, told, inputs)

    found = [
        stage("training", "training", "train", "model.safetensors", state),
        stage("evaluating", "evaluation", "evaluate", "summary.csv", state / "evaluate"),
    ]
    if values["ais_images"]:
        found.append(stage("annealing", "AIS", "ais_bounds", "bounds.csv", state / "ais_bounds"))
    for name in scored:
        output, told = f"scores/{name}.csv", state / f"score_{name}"
        one = stage(f"scoring {name}", f"scores of {name}", "score", output, told)
        log = logs / "score" / place / f"{name}.log"
        found.append(one._replace(wildcards={**own, "dataset": name}, log=log))
    return found
