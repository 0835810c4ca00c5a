"""The section `study` of a configuration: which keys are searched, and how."""

import json
from collections.abc import Mapping
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import yaml
from optuna.distributions import (
    BaseDistribution,
    CategoricalDistribution,
    FloatDistribution,
    IntDistribution,
)

from elboflow.specification.check_schema import complaint_about
from elboflow.specification.schema import read_schema
from elboflow.specification.yaml_readings import ConfigError

SCHEMA = Path(__file__).parents[3] / "schemas" / "study.schema.yaml"


@dataclass(frozen=True)
class Section:
    """What is asked for.

    Args:
        keys: of a run, and what is tried; the choices among values are of their JSON.
        epochs: rising; see search.py. None where a run says them.
    """

    keys: Mapping[str, BaseDistribution]
    trials: int
    at_once: int
    epochs: tuple[int, ...]
    seed: int


def read_section(section: Any) -> Section:
    """Read what has been parsed; raises ConfigError."""
    schema = yaml.safe_load(SCHEMA.read_text(encoding="utf-8"))
    if complaint := complaint_about(section, schema):
        raise ConfigError(f"config: study: {complaint}; see docs/study.md")
    steps = section.get("epochs", [])
    if steps != sorted(set(steps)):
        raise ConfigError("config: study.epochs must rise")
    if "epochs" in section["keys"]:
        raise ConfigError("config: study.keys: epochs are those of study.epochs")
    return Section(
        {key: _distribution(key, values) for key, values in sorted(section["keys"].items())},
        trials=section["trials"],
        at_once=section.get("at_once", 1),
        epochs=tuple(steps),
        seed=section.get("seed", 1),
    )


def _distribution(key: str, values: dict[str, Any]) -> BaseDistribution:
    if "choices" in values:
        return CategoricalDistribution([json.dumps(choice) for choice in values["choices"]])
    low, high, log = values["low"], values["high"], values.get("log", False)
    kinds = read_schema()["$defs"]["run"]["properties"].get(key, {}).get("type", "number")
    whole = "number" not in kinds and isinstance(low, int) and isinstance(high, int)
    try:
        return (IntDistribution if whole else FloatDistribution)(low, high, log=log)
    except ValueError as error:
        raise ConfigError(f"config: study.keys.{key}: {error}") from None


def keys_of(section: Section, drawn: Mapping[str, Any]) -> dict[str, Any]:
    """The keys of a run, from what Optuna has drawn."""
    return {
        key: json.loads(value) if isinstance(section.keys[key], CategoricalDistribution) else value
        for key, value in drawn.items()
    }


def corners(section: Section) -> list[dict[str, Any]]:
    """Keys of runs that hold all that may be drawn between them: least, most and each choice."""
    tried = [
        [json.loads(str(choice)) for choice in what.choices]
        if isinstance(what, CategoricalDistribution)
        else [what.low, what.high]  # type: ignore[attr-defined]
        for what in section.keys.values()
    ]
    return [
        {
            key: values[min(place, len(values) - 1)]
            for key, values in zip(section.keys, tried, strict=True)
        }
        for place in range(max(map(len, tried)))
    ]
