"""Names and types that cannot be are refused in one line, mostly with what to write."""

from typing import Any

import pytest

from elboflow.specification.check import ConfigError, check

DIGITS = {"source": "digits", "validation_images": 200, "test_images": 397}


def config() -> dict[str, Any]:
    return {"datasets": {"digits": DIGITS}, "runs": {"one": {}}}


def refusal(values: dict[str, Any]) -> str:
    with pytest.raises(ConfigError, match=r"\Aconfig: [^\n]{1,600}\Z") as refused:
        check(values)
    return str(refused.value)


@pytest.mark.fault("two runs whose folders differ in case alone", outcome="refused in one line")
@pytest.mark.parametrize("section", ["runs", "datasets"])
def test_names_that_differ_in_case_alone_are_refused(section: str) -> None:
    values = config()
    values[section] = {"Twin": next(iter(values[section].values())), **values[section]}
    values[section]["tWin"] = values[section]["Twin"]
    assert f"config: {section}: Twin and tWin are one folder" in refusal(values)


@pytest.mark.fault("a name that is no folder's", outcome="refused in one line")
@pytest.mark.parametrize(
    "name",
    ["", ".", "..", "a/b", "-x", ".x", "a b", "a ", "a\t", "a\n", "{a}", "\x1b", "é", "e\u0301"],
)
@pytest.mark.parametrize("section", ["runs", "datasets"])
def test_names_are_folders(section: str, name: str) -> None:
    values = config()
    values[section] = {**values[section], name: next(iter(values[section].values()))}
    assert "a name is of letters, digits, _, . and -" in refusal(values)
    values[section] = {"a" * 101: next(iter(values[section].values()))}
    assert f"{section}: 101 are more than the 100 allowed" in refusal(values)


@pytest.mark.fault(
    "a wrong type in the configuration", outcome="one line, mostly with what to write"
)
@pytest.mark.parametrize(
    ("run", "complaint"),
    [
        ({"epochs": True}, "runs.one.epochs: True is not of type 'integer'"),
        ({"beta": True}, "runs.one.beta: True is not of type 'number'"),
        ({"deterministic": 1}, "runs.one.deterministic: 1 is not of type 'boolean'"),
        ({"deterministic": "false"}, "is not of type 'boolean', write true or false"),
        ({"seeds": [1, True]}, "runs.one.seeds.1: True is not of type 'integer'"),
        ({"seeds": 1}, "runs.one.seeds: 1 is not of type 'array'"),
        ({"seeds": [-1]}, "runs.one.seeds.0: -1 is less than the minimum of 0"),
        ({"encoder_layers": "200"}, "runs.one.encoder_layers: '200' is not of type 'array'; see"),
        ({"encoder_layers": {"a": 1}}, "runs.one.encoder_layers: {'a': 1} is not of type 'array'"),
        ({"epochs": [1]}, "runs.one.epochs: [1] is not of type 'integer'"),
        ({"epochs": ["x" * 50] * 1000}, "is not of type 'integer'"),
        ({"epochs": "1e3"}, "write 1000 (without quotes"),
        ({"epochs": "08"}, "write 8 (YAML reads 08 as text)"),
        ({"patience": "3"}, "write 3 (without quotes; after --config all within braces is text)"),
        ({"epochs": "infinity"}, "runs.one.epochs: 'infinity' is not of type 'integer'; see"),
        ({"beta": "-inf"}, "runs.one.beta: '-inf' is not of type 'number'; see"),
        ({"dataset": 1.1}, "1.1 is not of type 'string', put it in quotes if it is a name"),
        ({"published": True}, "True is not of type 'string', 'null', put it in quotes"),
        ({"epochs": None}, "runs.one.epochs: None is not of type 'integer'"),
        ({"epochs ": 1}, "runs.one: unknown key 'epochs ', did you mean epochs?"),
        ({"x" * 10**5: 1}, "runs.one: unknown key 'xxx"),
        ({"a\nb": 1}, "runs.one: unknown key 'a\\nb', known are"),
        ([], "runs.one: [] is not of type 'object'"),
        ("text", "runs.one: 'text' is not of type 'object'"),
    ],
)
def test_a_wrong_type_is_one_line(run: Any, complaint: str) -> None:
    assert complaint in refusal({**config(), "runs": {"one": run}})


@pytest.mark.fault("bounds of nodes that are none", outcome="refused in one line")
@pytest.mark.parametrize("nodes", [[4, 1], [1], [1, 2, 4], [0, 2], [1.5, 2], ["1", "4"], [], True])
def test_bounds_of_nodes_are_the_least_and_the_most(nodes: Any) -> None:
    values = config()
    values["runs"]["one"]["nodes"] = nodes
    assert "config: runs.one.nodes" in refusal(values)


def test_the_most_nodes_are_held_against_the_batch() -> None:
    values = config()
    values["runs"]["one"] = {"nodes": [1, 40], "tasks_per_node": 8}
    assert "320 ranks are more than the" in refusal(values)
