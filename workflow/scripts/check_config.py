"""Find what is wrong with a configuration before anything starts, and say it in one line."""

import contextlib
import difflib
import sys
from typing import Any

import check_model
from check_dataset import TABLES, Sizes, split_sizes
from jsonschema import Draft202012Validator
from jsonschema.exceptions import ValidationError, best_match
from jsonschema.validators import extend
from published_values import complaint_about
from resolve_run import ranks, read_schema, resolve, resolve_dataset, resolve_environment
from yaml_readings import ConfigError, one_line

LARGEST = sys.float_info.max
# JSON calls 10.0 an integer and knows no NaN; a layer of 10.0 units or a rate of NaN dies late.
Validator = extend(
    Draft202012Validator,
    type_checker=Draft202012Validator.TYPE_CHECKER.redefine_many(
        {
            "integer": lambda _, value: type(value) is int,
            "number": lambda _, value: type(value) in (int, float) and abs(value) <= LARGEST,
        }
    ),
)


def check(config: dict[str, Any], read_files: bool = True) -> None:
    """Raise ConfigError at the first thing that is wrong.

    Args:
        read_files: whether to look at the user's own files of data, which a job need not see.
    """
    error = best_match(Validator(read_schema()).iter_errors(config))
    if error:
        raise ConfigError(f"config: {one_line(_explain(error), 400)}; see config/README.md")
    sizes = {
        name: split_sizes(f"config: datasets.{name}", resolve_dataset(config, name), read_files)
        for name in config["datasets"]
    }
    for run in config["runs"]:
        _check_run(config, run, resolve(config, run), sizes)
    _check_environment(resolve_environment(config))


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
    hint = ""
    if error.instance is None and error.validator_value == "object":
        return f"{where}: nothing stands below it; write keys there, or take it out"
    if isinstance(error.instance, str) and error.validator == "type":
        kind = int if error.validator_value == "integer" else float
        with contextlib.suppress(ValueError):
            hint = f", write {kind(error.instance)!r} (YAML reads {error.instance} as text)"
    return f"{where}: {error.message}{hint}"


def _check_run(
    config: dict[str, Any], run: str, values: dict[str, Any], sizes: dict[str, Sizes]
) -> None:
    where = f"config: runs.{run}"
    if values["dataset"] not in config["datasets"]:
        names = ", ".join(config["datasets"])
        raise ConfigError(f"{where}.dataset: no data set {values['dataset']!r}, known are {names}")
    if (source := resolve_dataset(config, values["dataset"])["source"]) in TABLES:
        raise ConfigError(
            f"{where}.dataset: {source} is a table without images; name a data set of images"
        )
    for level, keys in (
        (where, config["runs"][run]),
        ("config: defaults", config.get("defaults", {})),
    ):
        if "batch_size" in keys and keys.get("batch_per_rank") is not None:
            raise ConfigError(f"{level}: give batch_size or batch_per_rank, not both")
    if values["objective"] == "importance_weighted" and (
        values["beta"] != 1 or values["warmup_epochs"]
    ):
        raise ConfigError(
            f"{where}: importance_weighted is a bound only with beta 1 and no warm-up"
        )
    if complaint := check_model.complaint_about(values):
        raise ConfigError(f"{where}.{complaint}")
    _check_sizes(where, values, sizes[values["dataset"]])
    if complaint := complaint_about(values["published"], values["likelihood"], source):
        raise ConfigError(f"{where}.published: {complaint}")


def _check_sizes(where: str, values: dict[str, Any], sizes: Sizes) -> None:
    images, tested, size = sizes["train"], sizes["test"], values["batch_size"]
    if images is not None and size > images:
        raise ConfigError(f"{where}.batch_size: {size} is more than the {images} training images")
    for key in ("figure_images", "ais_images"):
        if tested and values[key] > tested:
            raise ConfigError(f"{where}.{key}: there are only {tested} test images")
    smallest = min(count for count in (size, sizes["validation"], tested) if count)
    if ranks(values) > smallest:
        raise ConfigError(
            f"{where}: {ranks(values)} ranks are more than the {smallest} images of a batch or "
            "split; lower nodes or tasks_per_node"
        )


def _check_environment(values: dict[str, Any]) -> None:
    if values["torch"] == "site" and not values["site_python"]:
        raise ConfigError(
            "config: environment.site_python: torch site needs the interpreter's path"
        )
    if values["torch"] == "pinned" and values["site_python"]:
        raise ConfigError("config: environment.site_python: only torch site takes one")
    if values["gpu"] == "none" and values["cuda_architectures"]:
        raise ConfigError("config: environment.cuda_architectures: a build with gpu none has none")
