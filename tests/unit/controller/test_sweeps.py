"""Runs that a sweep writes out, and what it refuses."""

import re
from pathlib import Path
from typing import Any

import pytest
import yaml

from elboflow.specification.check import ConfigError, check
from elboflow.specification.sweeps import with_sweeps

REPOSITORY = Path(__file__).parents[3]
DIGITS = {"source": "digits", "validation_images": 200, "test_images": 397}


def config(**sweep: Any) -> dict[str, Any]:
    return {
        "datasets": {"digits": DIGITS},
        "defaults": {"dataset": "digits", "epochs": 3},
        "sweeps": {"width": sweep},
    }


def refusal(values: dict[str, Any]) -> str:
    with pytest.raises(ConfigError, match=r"\Aconfig: [^\n]{1,600}\Z") as refused:
        check(values)
    return str(refused.value)


def test_a_grid_is_a_run_for_each_combination() -> None:
    runs = check(
        config(grid={"latent_dim": [2, 20], "beta": [0.5, 1]}, keys={"epochs": 7, "seeds": [4]})
    ).runs
    assert list(runs) == [
        "width-latent_dim_2-beta_0.5",
        "width-latent_dim_2-beta_1",
        "width-latent_dim_20-beta_0.5",
        "width-latent_dim_20-beta_1",
    ]
    run = runs["width-latent_dim_20-beta_0.5"]
    assert (run["latent_dim"], run["beta"], run["epochs"], run["seeds"]) == (20, 0.5, 7, [4])


def test_cases_are_combined_with_the_grid_and_stand_beside_other_runs() -> None:
    values = config(
        cases=[
            {"posterior": "full_covariance"},
            {"posterior": "gaussian", "encoder_layers": [8, 4]},
        ],
        grid={"patience": [None]},
    )
    assert list(check({**values, "runs": {"plain": {}}}).runs) == [
        "plain",
        "width-posterior_full_covariance-patience_none",
        "width-posterior_gaussian-encoder_layers_8x4-patience_none",
    ]


def test_a_sweep_of_one_case_is_one_run() -> None:
    assert list(check(config(keys={"beta": 2})).runs) == ["width"]


@pytest.mark.parametrize(
    ("sweep", "complaint"),
    [
        ({"grid": {"bta": [1]}}, "runs.width-bta_1: unknown key 'bta', did you mean beta?"),
        ({"grid": {"beta": [1, "x"]}}, "runs.width-beta_x.beta: 'x' is not of type 'number'"),
        ({"grid": {"beta": 1}}, "sweeps.width.grid.beta: 1 is not of type 'array'"),
        ({"grid": {"beta": []}}, "sweeps.width.grid.beta: [] "),
        ({"grid": None}, "sweeps.width.grid: nothing stands below it"),
        ({"girds": {}}, "sweeps.width: unknown key 'girds', did you mean grid?"),
        ({"cases": [{"epochs": "3"}]}, "sweeps.width.cases.0.epochs: '3' is not of type 'integer'"),
        ({"grid": {"beta": [1, 1]}}, "sweeps.width: two runs would be called width-beta_1"),
        (
            {"grid": {"model": ["a.py:A b", "a.py:A/b"]}},
            "two runs would be called width-model_a.py_A_b",
        ),
        (
            {"grid": {"beta": [1, 2, 1.0]}},
            "width-beta_1 and width-beta_1.0 are the same run",
        ),
        (
            {"cases": [{"beta": 1}, {"epochs": 3}]},
            "sweeps.width: width-beta_1 and width-epochs_3 are the same run; leave one out",
        ),
        ({"grid": {"beta": [1]}, "cases": [{"beta": 2}]}, "beta stands in cases and in grid"),
        ({"grid": {"beta": [1]}, "keys": {"beta": 2}}, "beta stands in keys and in grid"),
        ({"grid": {"encoder_layers": [[10] * 40]}}, "is longer than the 100 characters"),
        (
            {"grid": {"beta": list(range(200)), "free_bits": list(range(200))}},
            "40000 runs are more than the 10000 that can be planned",
        ),
    ],
)
def test_a_sweep_that_cannot_be_is_refused(sweep: dict[str, Any], complaint: str) -> None:
    assert complaint in refusal(config(**sweep))


def test_runs_are_written_out_or_swept_and_not_left_out() -> None:
    values = config()
    del values["sweeps"]
    assert "runs: there are none, nor sweeps" in refusal(values)


def test_a_run_of_the_same_name_is_refused() -> None:
    values = {**config(grid={"beta": [2]}), "runs": {"width-beta_2": {}}}
    assert "two runs would be called width-beta_2" in refusal(values)


@pytest.mark.parametrize(
    "value", [0.1, 1e-30, -2, True, None, "", "a b/../c", "é{x}\n", [], [1, [2]], {"a": 1}]
)
def test_whatever_a_value_is_its_run_has_a_name_that_is_a_folder(value: Any) -> None:
    (run,) = with_sweeps(config(grid={"model_options": [value]}), 1)["runs"]
    assert re.fullmatch("[A-Za-z0-9][A-Za-z0-9_.-]{0,99}", run)


def test_the_example_of_the_readme_makes_the_runs_that_it_says() -> None:
    text = (REPOSITORY / "config" / "README.md").read_text(encoding="utf-8")
    (example,) = re.findall(r"```yaml\n(sweeps:.*?)```", text, re.DOTALL)
    runs = list(check({**config(), **yaml.safe_load(example)}).runs)
    assert len(runs) == 6
    assert f"makes six runs, `{runs[0]}` to `{runs[-1]}`" in " ".join(text.split())
