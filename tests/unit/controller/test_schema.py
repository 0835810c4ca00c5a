"""What the schema says of each key: its meaning, and a default that is allowed and typed once."""

from typing import Any

import pytest
import yaml

from elboflow.specification.check_schema import Validator
from elboflow.specification.schema import SCHEMA, read_schema
from elboflow.vae.spec import PARTS
from key_tables import sections

KEYS = [(name, key) for name, keys in sections().items() for key in keys]
LAUNCH = SCHEMA.parents[1] / "scripts" / "launch.sh"


@pytest.fixture
def leaf(name: str, key: str) -> dict[str, Any]:
    return sections()[name][key]


@pytest.mark.parametrize(("name", "key"), KEYS)
def test_every_key_is_described_in_sentences(leaf: dict[str, Any]) -> None:
    assert leaf["description"].endswith(".")
    assert "|" not in leaf["description"]  # it stands in a table


@pytest.mark.parametrize(("name", "key"), KEYS)
def test_every_default_is_allowed(leaf: dict[str, Any]) -> None:
    if "default" in leaf:
        assert Validator(leaf).is_valid(leaf["default"])


def test_a_default_stands_in_the_file_or_in_a_specification_and_not_in_both() -> None:
    typed = yaml.safe_load(SCHEMA.read_text())["$defs"]["run"]["properties"]
    parts = {key: leaf["part"] for key, leaf in read_schema()["$defs"]["run"]["properties"].items()}
    assert set(parts.values()) == {*PARTS, "workflow"}
    assert [key for key in parts if ("default" in typed[key]) != (parts[key] == "workflow")] == []


def test_the_launcher_alone_waits_as_long_for_a_rank_as_the_workflow_does() -> None:
    seconds = read_schema()["properties"]["stall_seconds"]["default"]
    assert f"stall_seconds=${{ELBOFLOW_STALL_SECONDS:-{seconds}}}\n" in LAUNCH.read_text()
