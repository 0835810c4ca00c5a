"""Turn the configuration into one frozen specification per run."""

import json
import os
from pathlib import Path
from typing import Any, NamedTuple

from elboflow.files.whole import write_result
from elboflow.specification.nodes import most_nodes
from elboflow.specification.own_model import own_files
from elboflow.specification.schema import read_schema
from elboflow.vae.choices import POSTERIORS
from elboflow.vae.spec import NO_KEYS, OF_BUILT_IN, PARTS

LEAST_EPOCHS = 8  # of a run with a budget


class Resolved(NamedTuple):
    """A configuration with all defaults filled in; runs and data sets by their names."""

    runs: dict[str, dict[str, Any]]
    datasets: dict[str, dict[str, Any]]
    environment: dict[str, Any]
    scaling: dict[str, Any] | None
    scores: dict[str, list[str]]  # data sets other than its own, by run


def resolve_all(config: dict[str, Any]) -> Resolved:
    """The whole configuration, whose form has been checked."""
    runs = {run: resolve(config, run) for run in config["runs"]}
    return Resolved(
        runs=runs,
        datasets={name: resolve_dataset(config, name) for name in config["datasets"]},
        environment=resolve_environment(config),
        scaling=resolve_scaling(config),
        scores=resolve_scores(config, runs),
    )


def resolve(config: dict[str, Any], run: str) -> dict[str, Any]:
    """All keys of a run: the schema's defaults, under the config's, under the run's own.

    Nodes and ranks that the top level gives, for one call or by a profile, are above all of these.
    """
    own, shared = config["runs"][run], config.get("defaults", {})
    for_all = {key: config[key] for key in ("nodes", "tasks_per_node") if config.get(key)}
    values = _filled("run", {**shared, **own, **for_all})
    if values["model"]:
        # So that no edit of them trains it again.
        values |= {key: leaf for key, leaf in _filled("run", {}).items() if key in OF_BUILT_IN}
    if values["weights"] and "seeds" not in own:
        values["seeds"] = values["seeds"][:1]
    if not _ais_is_worth_it(values) and "ais_images" not in {**shared, **own}:
        values["ais_images"] = 0
    if "batch_size" in own and "batch_per_rank" not in own:
        values["batch_per_rank"] = None
    if values["batch_per_rank"] is not None:
        values["batch_size"] = values["batch_per_rank"] * ranks(values)
    if values["budget"] < 1:
        _shorten(values)
    for key in ("model", "weights"):
        values[key] = _expanded(values[key])
    return {**values, "files": own_files(values)}


def _expanded(path: str | None) -> str | None:
    """With the user's home folder in place of ~."""
    # Not Path.expanduser, which raises where the user is unknown.
    return os.path.expanduser(path) if path else path  # noqa: PTH111


def _ais_is_worth_it(values: dict[str, Any]) -> bool:
    """Unless it is asked for.

    Nobody knows yet whether a user's own model has a continuous z. log p(x) of a discrete z is
    exact. Where the density of a given z takes a pass for each dimension, AIS of digits with 20
    latents takes 35 times as long as from a Gaussian.
    """
    posterior = POSTERIORS[values["posterior"]]
    return not values["model"] and posterior.weighs_any_z and not posterior.discrete


def _shorten(values: dict[str, Any]) -> None:
    """Train the share `budget` of the epochs, with warm-up (and the iwae staircase) in proportion.

    Never fewer than 8 epochs where the run has them: one for each stage of the staircase.
    """
    whole = values["epochs"]
    values["epochs"] = min(whole, max(LEAST_EPOCHS, round(whole * values["budget"])))
    values["warmup_epochs"] *= values["epochs"] / whole


def ranks(values: dict[str, Any]) -> int:
    """Ranks of a resolved run, on its most nodes."""
    return most_nodes(values) * values["tasks_per_node"]


def resolve_dataset(config: dict[str, Any], name: str) -> dict[str, Any]:
    """All keys of a data set."""
    values = _filled("dataset", config["datasets"][name])
    for key in ("path", "data_dir"):
        values[key] = _expanded(values[key])
    return values


def resolve_environment(config: dict[str, Any]) -> dict[str, Any]:
    """All keys of the environment."""
    properties = read_schema()["properties"]["environment"]["properties"]
    return {**_defaults(properties), **config.get("environment", {})}


def resolve_scaling(config: dict[str, Any]) -> dict[str, Any] | None:
    """All keys of the section, if there is one."""
    if (own := config.get("scaling")) is None:
        return None
    return {**_defaults(read_schema()["properties"]["scaling"]["properties"]), **own}


def resolve_scores(config: dict[str, Any], runs: dict[str, dict[str, Any]]) -> dict[str, list[str]]:
    """The data sets on which each run is scored; its own, which is evaluated anyway, left out."""
    section = config.get("scores") or {}
    return {
        run: sorted({*section[run]} - {runs[run]["dataset"] if run in runs else None})
        for run in sorted(section)
    }


def resolve_key(config: dict[str, Any], key: str) -> Any:
    """A key of the top level."""
    return config.get(key, read_schema()["properties"][key]["default"])


def part(values: dict[str, Any], name: str) -> dict[str, Any]:
    """The keys of a resolved run that belong to one of PARTS."""
    properties = read_schema()["$defs"]["run"]["properties"]
    parts = {key: leaf["part"] for key, leaf in properties.items()}
    parts |= dict.fromkeys(NO_KEYS, "training")
    return {key: values[key] for key in values if parts[key] == name}


def specification(run: str, values: dict[str, Any], file: str = "run") -> dict[str, Any]:
    """What run.json says of a resolved run, or another file, which says its part alone.

    Whatever measures a model beside `evaluation` has the keys of that as well.
    """
    alone = file in ("training", "evaluation")
    names = list(PARTS) if file == "run" else [file] if alone else ["evaluation", file]
    return {"run": run, **{name: part(values, name) for name in names if name in PARTS}}


def document(specification: dict[str, Any], code_sha256: str | None) -> str:
    """What the file of a specification says, as an argument of the command that writes it.

    With the digest of code and pins in it, an edit of these changes the file: what follows from it
    is asked for by every later call too, until it is there. It alone decides whether the file is
    written again: the script of a directive would be run whenever its file is newer, and all
    trainings with it.
    """
    code = {"code_sha256": code_sha256} if code_sha256 else {}
    return json.dumps({**specification, **code}, sort_keys=True)


def write_specification(specification: dict[str, Any], path: Path) -> None:
    """Write a specification, or a part of it, as JSON with sorted keys."""
    write_result(path, (json.dumps(specification, indent=2, sort_keys=True) + "\n").encode())


def _filled(kind: str, values: dict[str, Any]) -> dict[str, Any]:
    return {**_defaults(read_schema()["$defs"][kind]["properties"]), **values}


def _defaults(properties: dict[str, Any]) -> dict[str, Any]:
    return {key: leaf["default"] for key, leaf in properties.items() if "default" in leaf}
