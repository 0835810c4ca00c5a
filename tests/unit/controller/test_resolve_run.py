"""How a run's keys come together; what is refused is tested with Snakemake in tests/workflow."""

import json
from pathlib import Path
from typing import Any

import pytest

from elboflow.specification import resolve as resolving
from elboflow.specification.check import check
from elboflow.specification.nodes import least_nodes, nodes_of_try
from elboflow.specification.resolve import (
    document,
    ranks,
    resolve,
    resolve_all,
    resolve_dataset,
    write_specification,
)
from elboflow.vae.spec import PARTS


def config(defaults: dict[str, Any] | None = None, **run: Any) -> dict[str, Any]:
    digits = {"source": "digits", "validation_images": 200, "test_images": 397}
    return {"datasets": {"digits": digits}, "defaults": defaults or {}, "runs": {"one": run}}


def specification(config: dict[str, Any], run: str, file: str = "run") -> dict[str, Any]:
    return resolving.specification(run, resolve(config, run), file)


def test_a_runs_own_value_wins_over_defaults_and_these_over_the_schemas() -> None:
    values = resolve(config({"epochs": 7, "beta": 2}, epochs=9), "one")
    assert (values["epochs"], values["beta"], values["activation"]) == (9, 2, "tanh")


@pytest.mark.parametrize(
    ("defaults", "run", "batch_size"),
    [
        ({}, {"batch_per_rank": 30, "tasks_per_node": 2, "nodes": 3}, 180),
        ({}, {"batch_per_rank": 30, "tasks_per_node": 2, "nodes": [1, 3]}, 180),
        ({"batch_per_rank": 30, "tasks_per_node": 2}, {}, 60),
        ({"batch_size": 100}, {"batch_per_rank": 30, "tasks_per_node": 2}, 60),
        ({"batch_per_rank": 30, "tasks_per_node": 2}, {"batch_size": 100}, 100),
    ],
)
def test_batch_per_rank_is_resolved_to_the_global_batch(
    defaults: dict[str, Any], run: dict[str, Any], batch_size: int
) -> None:
    made = config(defaults, **run)
    assert check(made).runs["one"]["batch_size"] == batch_size


def test_ranks_are_nodes_times_tasks() -> None:
    assert ranks(resolve(config(nodes=3, tasks_per_node=4), "one")) == 12


@pytest.mark.parametrize(
    ("nodes", "asked", "least"),
    [
        (3, [3, 3, 3], None),
        ([3, 3], [3, 3], None),
        ([1, 4], [4, 2, 1, 1], 1),
        ([2, 5], [5, 2, 2], 2),
        ([4, 6], [6, 4, 4], 4),
    ],
)
def test_each_try_asks_for_half_as_many_nodes(
    nodes: int | list[int], asked: list[int], least: int | None
) -> None:
    run = resolve(config(nodes=nodes, tasks_per_node=2), "one")
    assert [nodes_of_try(run, attempt) for attempt in range(1, len(asked) + 1)] == asked
    assert (ranks(run), least_nodes(run)) == (2 * asked[0], least)


def test_resources_and_seeds_are_no_part_of_the_specification() -> None:
    made = specification(config(), "one")
    other = specification(config(nodes=[1, 2], tasks_per_node=4, seeds=[5]), "one")
    assert made == other
    assert set(made) == {"run", *PARTS} and "workflow" not in made
    assert "nodes" not in made["training"]


def test_a_parts_file_says_that_part_alone() -> None:
    changed = config(importance_samples=7)
    assert specification(changed, "one", "training") == specification(config(), "one", "training")
    assert specification(changed, "one", "evaluation")["evaluation"]["importance_samples"] == 7
    changed = config(ais_temperatures=7)
    for file in ("training", "evaluation"):
        assert specification(changed, "one", file) == specification(config(), "one", file)
    assert specification(changed, "one", "ais_bounds")["ais_bounds"]["ais_temperatures"] == 7


def test_the_file_is_sorted_json(tmp_path: Path) -> None:
    write_specification(specification(config(), "one"), tmp_path / "run.json")
    text = (tmp_path / "run.json").read_text()
    assert json.loads(text) == specification(config(), "one")
    assert text == json.dumps(json.loads(text), indent=2, sort_keys=True) + "\n"


def test_a_file_says_the_code_behind_it() -> None:
    made = specification(config(), "one", "training")
    assert json.loads(document(made, "ab12")) == {**made, "code_sha256": "ab12"}
    assert json.loads(document(made, None)) == made


def test_what_measures_a_model_has_the_keys_of_evaluation_too() -> None:
    for name in set(PARTS) - {"training", "evaluation"}:
        assert set(specification(config(), "one", name)) == {"run", "evaluation", name}


def test_all_is_resolved_at_once() -> None:
    made, resolved = config(), resolve_all(config())
    assert resolved.runs == {"one": resolve(made, "one")}
    assert resolved.datasets == {"digits": resolve_dataset(made, "digits")}
    assert resolved.environment["torch"] == "pinned"


def test_a_data_set_has_all_its_keys() -> None:
    assert resolve_dataset(config(), "digits")["mirrors"] == []


@pytest.mark.parametrize(
    ("run", "images"),
    [
        ({}, 20),
        ({"second_latent_dim": 2, "kl": "sampled"}, 20),
        ({"posterior": "flow", "kl": "sampled"}, 0),
        ({"posterior": "flow", "kl": "sampled", "ais_images": 5}, 5),
        ({"posterior": "categorical", "prior": "uniform"}, 0),
    ],
)
def test_ais_is_left_out_by_default_where_it_is_slow_or_needless(run, images):
    assert resolve({"runs": {"one": run}}, "one")["ais_images"] == images
