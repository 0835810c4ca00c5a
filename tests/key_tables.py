"""The tables of keys in config/README.md, from the schema.

    PYTHONPATH=workflow/scripts python tests/key_tables.py        # make keys

Each stands between two comments that say so; what is around them is written by hand.
"""

import re
from pathlib import Path
from typing import Any

import yaml

from elboflow.specification.schema import read_schema
from elboflow.vae.spec import PARTS

README = Path(__file__).parents[1] / "config" / "README.md"
BEGIN, END = r"<!-- keys: (?P<section>[\w ]+), by make keys -->\n", r"<!-- end of keys -->\n"
MARKED = re.compile(f"(?P<begin>{BEGIN}).*?(?P<end>{END})", re.DOTALL)
SIGNS = {"minimum": "≥", "exclusiveMinimum": ">", "maximum": "≤", "exclusiveMaximum": "<"}


def sections() -> dict[str, dict[str, Any]]:
    """What the schema says of each key, by the part of the configuration that it belongs to."""
    schema = read_schema()
    run = schema["$defs"]["run"]["properties"]
    return {
        "top level": {key: leaf for key, leaf in schema["properties"].items() if "default" in leaf},
        "environment": schema["properties"]["environment"]["properties"],
        "scaling": schema["properties"]["scaling"]["properties"],
        "datasets": schema["$defs"]["dataset"]["properties"],
        **{
            part: {key: leaf for key, leaf in run.items() if leaf["part"] == part}
            for part in (*PARTS, "workflow")
        },
    }


def allowed(leaf: dict[str, Any]) -> str:
    """The values of a key in words: names, or type, range and number."""
    if "enum" in leaf:
        return ", ".join("null" if value is None else f"`{value}`" for value in leaf["enum"])
    kind, *others = [leaf["type"]] if isinstance(leaf["type"], str) else leaf["type"]
    words = {"object": "mapping"}.get(kind, kind) + _range(leaf)
    if kind == "array":
        words = _list(leaf)
    return ", or ".join([words, *(_list(leaf) if kind == "array" else kind for kind in others)])


def _list(leaf: dict[str, Any]) -> str:
    each = _range(leaf["items"])
    return f"list of {_count(leaf)}{leaf['items']['type']}s{each and f', each{each}'}"


def _range(leaf: dict[str, Any]) -> str:
    """With a space before it; nothing where any number may stand."""
    if "minimum" in leaf and "maximum" in leaf:
        return f" from {leaf['minimum']} to {leaf['maximum']}"
    bounds = [f" {sign} {leaf[key]}" for key, sign in SIGNS.items() if key in leaf]
    return " and".join(bounds)


def _count(leaf: dict[str, Any]) -> str:
    """How many entries a list may have, with a space behind it."""
    different = "different " if leaf.get("uniqueItems") else ""
    if "maxItems" not in leaf:
        return different
    if leaf.get("minItems") == leaf["maxItems"]:
        return f"{leaf['maxItems']} {different}"
    least = f"{leaf['minItems']} to" if "minItems" in leaf else "at most"
    return f"{least} {leaf['maxItems']} {different}"


def default(leaf: dict[str, Any]) -> str:
    """As a configuration would say it."""
    if "default" not in leaf:
        return "required"
    return f"`{yaml.safe_dump(leaf['default'], default_flow_style=True).splitlines()[0]}`"


def table(keys: dict[str, dict[str, Any]]) -> str:
    """The Markdown table of a section's keys, between blank lines."""
    lines = ["| key | allowed | default | meaning |", "|---|---|---|---|"]
    for key, leaf in keys.items():
        lines.append(f"| `{key}` | {allowed(leaf)} | {default(leaf)} | {leaf['description']} |")
    return "\n".join(["", *lines, "", ""])


def with_tables(text: str) -> str:
    """A text with its marked tables written anew.

    Raises:
        ValueError: a section's table is missing, or marked twice.
    """
    keys = sections()
    marked = [match["section"] for match in MARKED.finditer(text)]
    if sorted(marked) != sorted(keys):
        raise ValueError(f"the tables marked are {marked}, and should be {list(keys)}")
    return MARKED.sub(lambda at: at["begin"] + table(keys[at["section"]]) + at["end"], text)


if __name__ == "__main__":
    README.write_text(with_tables(README.read_text(encoding="utf-8")), encoding="utf-8")
