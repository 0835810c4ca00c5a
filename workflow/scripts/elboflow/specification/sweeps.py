"""Sweeps: runs that differ in some keys, written once."""

import math
import re
from collections.abc import Iterator, Mapping
from itertools import product
from typing import Any

from elboflow.specification.yaml_readings import ConfigError

LONGEST_NAME = 100


def with_sweeps(config: dict[str, Any], most: int) -> dict[str, Any]:
    """A configuration, whose form has been checked, with the runs of its sweeps among its own.

    Each is called after its sweep and the keys in which those of the sweep differ:
    `width-beta_0.5-encoder_layers_200x200`.

    Args:
        most: runs that can be planned.

    Raises:
        ConfigError: two runs of one name, a name that is too long, or too many runs.
    """
    runs = dict(config.get("runs", {}))
    for sweep, values in config.get("sweeps", {}).items():
        where = f"config: sweeps.{sweep}"
        cases, grid = values.get("cases", [{}]), values.get("grid", {})
        if (count := len(cases) * math.prod(map(len, grid.values()))) > most:
            raise ConfigError(f"{where}: {count} runs are more than the {most} that can be planned")
        for section, keys in (
            ("cases", {key for case in cases for key in case}),
            ("keys", set(values.get("keys", {}))),
        ):
            if both := sorted(keys & set(grid)):
                raise ConfigError(
                    f"{where}: {both[0]} stands in {section} and in grid; give it in one"
                )
        for name, varied in _runs_of(sweep, values):
            if len(name) > LONGEST_NAME:
                raise ConfigError(
                    f"{where}: {name} is longer than the {LONGEST_NAME} characters of a run's "
                    "name; write these runs out, under `runs`"
                )
            if name in runs:
                raise ConfigError(f"{where}: two runs would be called {name}")
            runs[name] = {**values.get("keys", {}), **varied}
    return {**config, "runs": runs}


def _runs_of(sweep: str, values: dict[str, Any]) -> Iterator[tuple[str, dict[str, Any]]]:
    """Name and varied keys of each case with each combination of the grid's values."""
    grid = values.get("grid", {})
    for case, combination in product(values.get("cases", [{}]), product(*grid.values())):
        varied = {**case, **dict(zip(grid, combination, strict=True))}
        yield "-".join([sweep, *(f"{key}_{_in_a_name(varied[key])}" for key in varied)]), varied


def complaint_about_equal_runs(
    sweeps: Mapping[str, dict[str, Any]], runs: Mapping[str, dict[str, Any]]
) -> str | None:
    """Two runs of one sweep that are the same once all defaults are filled in, as 1 and 1.0 are."""
    for sweep, values in sweeps.items():
        known: dict[Any, str] = {}
        for name, _ in _runs_of(sweep, values):
            if (other := known.setdefault(_compared(runs[name]), name)) != name:
                return f"{sweep}: {other} and {name} are the same run; leave one out"
    return None


def _compared(value: Any) -> Any:
    """What equal values have in common: 1 and 1.0, but not 1 and true."""
    if isinstance(value, dict):
        return frozenset((key, _compared(each)) for key, each in value.items())
    if isinstance(value, list | tuple):
        return tuple(map(_compared, value))
    return (bool, value) if isinstance(value, bool) else value


def _in_a_name(value: Any) -> str:
    """A value in letters that a folder may have."""
    if isinstance(value, list):
        return "x".join(map(_in_a_name, value)) or "none"
    if value is None:
        return "none"
    if isinstance(value, bool):
        return str(value).lower()
    return re.sub(r"[^A-Za-z0-9_.-]+", "_", str(value).removeprefix("+"))
