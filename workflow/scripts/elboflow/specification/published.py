"""Published log-likelihoods, from config/published.yaml."""

import difflib
import functools
from collections.abc import Mapping
from pathlib import Path
from typing import Any

import yaml
from jsonschema import Draft202012Validator
from jsonschema.exceptions import best_match

from elboflow.specification.config_files import ConfigError, check_file
from elboflow.specification.schema import read_schema

ROOT = Path(__file__).parents[4]
PUBLISHED_VALUES = ROOT / "config" / "published.yaml"
PUBLISHED_SCHEMA = ROOT / "workflow" / "schemas" / "published.schema.yaml"


def read_published(path: str | Path = PUBLISHED_VALUES) -> dict[str, Any]:
    """The file's sections `recipes` and `values`."""
    return yaml.safe_load(Path(path).read_text(encoding="utf-8"))


def complaint_about_published(
    name: str | None, observes: str, source: str, path: Path = PUBLISHED_VALUES
) -> str | None:
    """What is wrong with a run that names a published value, in one line; None if nothing is.

    Args:
        observes: what the run's model observes.
        source: of the run's data set. Values of other data cannot be compared.
    """
    if name is None:
        return None
    if complaint := _damage(path):
        return complaint
    values = read_published(path)["values"]
    if name not in values:
        close = difflib.get_close_matches(name, values, 1)
        hint = f"did you mean {close[0]}?" if close else f"known are {', '.join(values)}"
        return f"no {name!r} in config/published.yaml, {hint}"
    data, observed = values[name]["source"], values[name]["observes"]
    if (data, observed) != (source, observes):
        return f"{name} is of {data}, {observed}; this run's data are {source}, {observes}"
    return None


@functools.cache
def _damage(path: Path) -> str | None:
    """What is wrong with the file, in one line."""
    schema = yaml.safe_load(PUBLISHED_SCHEMA.read_text(encoding="utf-8"))
    try:
        check_file(path)
    except ConfigError as error:
        return str(error).removeprefix("config: ")
    document = read_published(path)
    if wrong := best_match(Draft202012Validator(schema).iter_errors(document)):
        where = ".".join(str(step) for step in wrong.absolute_path) or "top level"
        return f"{path.name}: {where}: {wrong.message}"
    for name, recipe in document["recipes"].items():
        if complaint := _unlike_a_run(recipe["settings"]):
            return f"{path.name}: recipes.{name}.settings{complaint}"
    for name, value in document["values"].items():
        if value["recipe"] not in document["recipes"]:
            return f"{path.name}: values.{name}.recipe: no recipe {value['recipe']!r}"
        if complaint := _unlike_a_run(value.get("settings", {})):
            return f"{path.name}: values.{name}.settings{complaint}"
    return None


def _unlike_a_run(settings: Mapping[str, Any]) -> str | None:
    """What is wrong with settings in the keys of a run, None if nothing is."""
    keys = read_schema()["$defs"]["run"]["properties"]
    for key, value in settings.items():
        if key not in keys or keys[key]["part"] not in ("training", "evaluation"):
            return f": {key!r} is no key of a run's training or evaluation"
        if wrong := best_match(Draft202012Validator(keys[key]).iter_errors(value)):
            return f".{key}: {wrong.message}"
    return None


def recipe_settings(published: Mapping[str, Any], name: str) -> dict[str, Any]:
    """The settings that a value was measured with: the recipe's, under its own."""
    value = published["values"][name]
    return {**published["recipes"][value["recipe"]]["settings"], **value.get("settings", {})}
