"""config/README.md says what the schema says, and the specs have the keys that the schema has."""

import ast
import json
from pathlib import Path
from typing import Any

from elboflow.specification.schema import SCHEMA, read_schema

README = SCHEMA.parents[2] / "config" / "README.md"
SPEC = SCHEMA.parents[1] / "scripts" / "elboflow" / "vae" / "spec.py"


def allowed(leaf: dict[str, Any]) -> str:
    """Type or values, and range, in words."""
    if "enum" in leaf:
        return ", ".join(f"`{value}`" for value in leaf["enum"])
    kinds = leaf["type"] if isinstance(leaf["type"], list) else [leaf["type"]]
    words = " or ".join(kinds).replace("array", f"list of {leaf.get('items', {}).get('type')}")
    bounds = [
        f"{sign} {leaf[key]}"
        for key, sign in (
            ("minimum", "≥"),
            ("exclusiveMinimum", ">"),
            ("maximum", "≤"),
            ("exclusiveMaximum", "<"),
            ("maxItems", "at most"),
        )
        if key in leaf
    ]
    return ", ".join([words, *bounds])


def table(properties: dict[str, Any]) -> str:
    """The Markdown table of a section's keys."""
    lines = ["| key | allowed | default | meaning |", "|---|---|---|---|"]
    for key, leaf in properties.items():
        default = f"`{json.dumps(leaf['default'])}`" if "default" in leaf else "required"
        lines.append(f"| `{key}` | {allowed(leaf)} | {default} | {leaf['description']} |")
    return "\n".join(lines)


def sections() -> dict[str, dict[str, Any]]:
    schema = read_schema()
    run = schema["$defs"]["run"]["properties"]
    top = ("nodes", "tasks_per_node", "stall_seconds", "chapter")
    return {
        "top level": {key: schema["properties"][key] for key in top},
        "environment": schema["properties"]["environment"]["properties"],
        "datasets": schema["$defs"]["dataset"]["properties"],
        **{
            part: {key: leaf for key, leaf in run.items() if leaf["part"] == part}
            for part in ("training", "evaluation", "ais_bounds", "workflow")
        },
    }


def test_the_readme_has_the_table_of_every_section() -> None:
    text = README.read_text()
    missing = [table(keys) for keys in sections().values() if table(keys) not in text]
    assert missing == [], "\n\n".join(["put these tables into config/README.md:", *missing])


def test_every_key_has_a_description_and_a_default_within_its_range() -> None:
    for keys in sections().values():
        assert all(leaf["description"].endswith(".") for leaf in keys.values())


def test_specs_have_the_keys_of_their_part() -> None:
    classes = {
        node.name: [item.target.id for item in node.body if isinstance(item, ast.AnnAssign)]
        for node in ast.parse(Path(SPEC).read_text()).body
        if isinstance(node, ast.ClassDef)
    }
    assert sorted(classes["TrainingSpec"]) == sorted(sections()["training"])
    assert sorted(classes["EvaluationSpec"]) == sorted(sections()["evaluation"])
    assert sorted(classes["BoundsSpec"]) == sorted(sections()["ais_bounds"])
