"""Turn the configuration into one frozen, validated specification per run.

The rules use it when Snakemake parses them, so that a mistake dies before anything starts, and
rule resolve_run writes its result to results/runs/{run}/run.json.
"""

import difflib
import functools
import json
from pathlib import Path
from typing import Any

import yaml
from jsonschema import Draft202012Validator
from jsonschema.exceptions import ValidationError, best_match

snakemake: Any  # Snakemake puts it into scripts of `script:`

SCHEMA = Path(__file__).parents[1] / "schemas" / "config.schema.yaml"


class ConfigError(ValueError):
    """A configuration that cannot be run; the message is one line that says where."""


@functools.cache
def read_schema() -> dict[str, Any]:
    """The schema of the whole configuration."""
    return yaml.safe_load(SCHEMA.read_text())


def check(config: dict[str, Any]) -> None:
    """Raise ConfigError at the first thing that is wrong."""
    error = best_match(Draft202012Validator(read_schema()).iter_errors(config))
    if error:
        raise ConfigError(f"config: {_explain(error)}; see config/README.md")
    for name in config["datasets"]:
        _check_dataset(name, resolve_dataset(config, name))
    for run in config["runs"]:
        _check_run(config, run, resolve(config, run))
    _check_environment(resolve_environment(config))


def resolve(config: dict[str, Any], run: str) -> dict[str, Any]:
    """All keys of a run: the schema's defaults, under the config's, under the run's own."""
    own, shared = config["runs"][run], config.get("defaults", {})
    values = _filled("run", {**shared, **own})
    if "batch_size" in own and "batch_per_rank" not in own:
        values["batch_per_rank"] = None
    if values["batch_per_rank"] is not None:
        values["batch_size"] = values["batch_per_rank"] * ranks(values)
    return values


def ranks(values: dict[str, Any]) -> int:
    """Ranks of a resolved run."""
    return values["nodes"] * values["tasks_per_node"]


def resolve_dataset(config: dict[str, Any], name: str) -> dict[str, Any]:
    """All keys of a data set."""
    return _filled("dataset", config["datasets"][name])


def resolve_environment(config: dict[str, Any]) -> dict[str, Any]:
    """All keys of the environment."""
    properties = read_schema()["properties"]["environment"]["properties"]
    return {**_defaults(properties), **config.get("environment", {})}


def part(values: dict[str, Any], name: str) -> dict[str, Any]:
    """The keys of a resolved run that belong to `training` or `evaluation`."""
    properties = read_schema()["$defs"]["run"]["properties"]
    return {key: values[key] for key in values if properties[key]["part"] == name}


def specification(config: dict[str, Any], run: str, file: str = "run") -> dict[str, Any]:
    """What run.json says; training.json and evaluation.json say their part of it alone."""
    values = resolve(config, run)
    parts = ["training", "evaluation"] if file == "run" else [file]
    return {"run": run, **{name: part(values, name) for name in parts}}


def write(specification: dict[str, Any], path: Path) -> None:
    """Write a specification, or a part of it, as JSON with sorted keys."""
    path.write_text(json.dumps(specification, indent=2, sort_keys=True) + "\n")


def _filled(kind: str, values: dict[str, Any]) -> dict[str, Any]:
    return {**_defaults(read_schema()["$defs"][kind]["properties"]), **values}


def _defaults(properties: dict[str, Any]) -> dict[str, Any]:
    return {key: leaf["default"] for key, leaf in properties.items() if "default" in leaf}


def _explain(error: ValidationError) -> str:
    where = ".".join(str(step) for step in error.absolute_path) or "top level"
    schema: Any = error.schema
    if error.validator == "additionalProperties":
        known = list(schema["properties"])
        found: Any = error.instance
        unknown = next(key for key in found if key not in known)
        close = difflib.get_close_matches(str(unknown), known, 1)
        hint = f", did you mean {close[0]}?" if close else f", known are {', '.join(known)}"
        return f"{where}: unknown key {unknown!r}{hint}"
    return f"{where}: {error.message}"


def _check_dataset(name: str, values: dict[str, Any]) -> None:
    where = f"config: datasets.{name}"
    if values["source"] == "file" and not values["path"]:
        raise ConfigError(f"{where}.path: the source file needs the path of your .npy, .npz or idx")
    if values["source"] != "file" and values["path"]:
        raise ConfigError(f"{where}.path: only the source file takes a path, use data_dir")
    if values["source"] == "digits":
        if values["test_images"] is None:
            raise ConfigError(f"{where}.test_images: digits has no published split, give a number")
        if values["validation_images"] + values["test_images"] >= 1797:
            raise ConfigError(f"{where}: no training images are left of digits' 1797")


def _check_run(config: dict[str, Any], run: str, values: dict[str, Any]) -> None:
    where = f"config: runs.{run}"
    if values["dataset"] not in config["datasets"]:
        known = ", ".join(config["datasets"])
        raise ConfigError(f"{where}.dataset: no data set {values['dataset']!r}, known are {known}")
    for level, keys in (
        (where, config["runs"][run]),
        ("config: defaults", config.get("defaults", {})),
    ):
        if "batch_size" in keys and keys.get("batch_per_rank") is not None:
            raise ConfigError(f"{level}: give batch_size or batch_per_rank, not both")
    dataset = resolve_dataset(config, values["dataset"])
    smallest = min(
        count
        for count in (values["batch_size"], dataset["validation_images"], dataset["test_images"])
        if count is not None
    )
    if ranks(values) > smallest:
        raise ConfigError(
            f"{where}: {ranks(values)} ranks are more than the {smallest} images of a batch or "
            "split; lower nodes or tasks_per_node"
        )
    if values["objective"] == "importance_weighted" and (
        values["beta"] != 1 or values["warmup_epochs"]
    ):
        raise ConfigError(
            f"{where}: importance_weighted is a bound only with beta 1 and no warm-up"
        )


def _check_environment(values: dict[str, Any]) -> None:
    if values["torch"] == "site" and not values["site_python"]:
        raise ConfigError(
            "config: environment.site_python: torch site needs the interpreter's path"
        )
    if values["torch"] == "pinned" and values["site_python"]:
        raise ConfigError("config: environment.site_python: only torch site takes one")


if __name__ == "__main__":
    write(snakemake.params.specification, Path(snakemake.output.specification))
