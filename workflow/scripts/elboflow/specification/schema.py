"""The schema of the configuration: what each key means and may be, and its default.

What trains and measures declares the defaults of its keys (vae/spec.py) and the names that may be
chosen (vae/choices.py), so that it can be used without a configuration; the schema takes them over
when it is read.
"""

import functools
from dataclasses import asdict
from pathlib import Path
from typing import Any

import yaml

from elboflow.vae.choices import CHOICES, DATA, meanings
from elboflow.vae.spec import NO_KEYS, PARTS

SCHEMA = Path(__file__).parents[3] / "schemas" / "config.schema.yaml"


@functools.cache
def read_schema() -> dict[str, Any]:
    """The schema of the whole configuration; each key of a run has its `part` and its default."""
    schema = yaml.safe_load(SCHEMA.read_text(encoding="utf-8"))
    keys = schema["$defs"]["run"]["properties"]
    for leaf in keys.values():
        leaf["part"] = "workflow"
    for part, kind in PARTS.items():
        for key, default in asdict(kind()).items():
            if key not in NO_KEYS:
                keys[key].update(part=part, default=default)
    for key, known in CHOICES.items():
        keys[key]["enum"] = list(known)
        keys[key]["description"] += f" {meanings(key)}"
    said = [f"{name}: {data.pixels}." for name, data in DATA.items()]
    keys["observes"]["enum"] = [*DATA, None]
    keys["observes"]["description"] += f" {' '.join(said)}"
    return schema


def boolean_keys() -> set[str]:
    """The keys that are true or false."""
    schema = read_schema()
    leaves = {**schema["properties"], **schema["$defs"]["run"]["properties"]}
    return {key for key, leaf in leaves.items() if leaf.get("type") == "boolean"}
