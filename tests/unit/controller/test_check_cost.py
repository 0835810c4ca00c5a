"""Runs that can fit nowhere are refused in one line with an estimate; all others pass."""

from pathlib import Path
from typing import Any

import pytest
import yaml

from elboflow.specification.check import ConfigError, check

ROOT = Path(__file__).parents[3]
HUGE = pytest.mark.fault(
    "numbers that are legal and fit nowhere (layers, samples, epochs, temperatures)",
    outcome="one line with the estimate and the key to lower",
)
DIGITS = {"source": "digits", "validation_images": 200, "test_images": 397}
DISCRETE = {"posterior": "categorical", "prior": "uniform"}


def config(**run: Any) -> dict[str, Any]:
    return {"datasets": {"digits": DIGITS}, "runs": {"one": run}}


def refusal(values: dict[str, Any], read_files: bool = True) -> str:
    with pytest.raises(ConfigError, match=r"\Aconfig: [^\n]{1,600}\Z") as refused:
        check(values, read_files)
    return str(refused.value)


@HUGE
@pytest.mark.parametrize(
    ("run", "complaint"),
    [
        ({"encoder_layers": [10**9, 10**9]}, "encoder_layers: training 1.0e+18 parameters takes"),
        ({"encoder_layers": [10**9]}, "encoder_layers: training 8.5e+10 parameters takes 4.1e+12"),
        (
            {"encoder_layers": [10**9], "batch_size": 1, "tasks_per_node": 1, "latent_dim": 1},
            "encoder_layers: training 6.7e+10 parameters takes 1.9e+12 bytes",
        ),
        ({"encoder_layers": [10**12]}, "encoder_layers: training 8.5e+13 parameters takes"),
        ({"decoder_layers": [10**40]}, "decoder_layers: training"),
        (
            {"latent_dim": 10**10},
            "latent_dim: training 6.0e+12 parameters takes 2.7e+14 bytes on a",
        ),
        (
            {"latent_dim": 10**5, "posterior": "full_covariance"},
            "latent_dim: training 1.0e+12 para",
        ),
        ({**DISCRETE, "latent_dim": 10**6}, "latent_dim: training"),
        ({"prior": "mixture", "kl": "sampled", "prior_components": 10**12}, "prior_components: tr"),
        ({"prior": "vamp", "kl": "sampled", "prior_components": 10**10}, "prior_components: train"),
        ({"second_latent_dim": 10**12, "kl": "sampled"}, "second_latent_dim: training"),
        (
            {"posterior": "flow", "kl": "sampled", "flow_hidden": [10**6, 10**6]},
            "flow_hidden: training 2.0e+12 parameters",
        ),
        ({"channels": [10**6, 10**6]}, "channels: training"),
        ({"training_samples": 10**9}, "training_samples: training"),
        ({"epochs": 10**9}, "epochs: training takes 1.2e+10 steps at least, and 1.0e+10 are the"),
        ({"elbo_samples": 10**12}, "elbo_samples: the evaluation takes"),
        ({"importance_samples": 10**12}, "importance_samples: the evaluation takes"),
        (
            {"importance_samples": 10**12, "chunk_samples": 10**12},
            "chunk_samples: the evaluation takes",
        ),
        (
            {"ais_images": 397, "ais_temperatures": 10**6, "ais_leapfrog_steps": 10**4},
            "ais_temperatures: the evaluation takes 8.0e+11 steps",
        ),
        ({"encoder_layers": [8000] * 100, "tasks_per_node": 100}, "encoder_layers: training"),
    ],
)
def test_what_fits_nowhere_is_refused_with_the_key_to_lower(
    run: dict[str, Any], complaint: str
) -> None:
    refused = refusal(config(**run))
    assert f"config: runs.one.{complaint}" in refused
    assert refused.endswith(f"; lower {complaint.partition(':')[0]}")


@HUGE
@pytest.mark.parametrize(
    ("key", "number"),
    [
        ("epochs", 10**12),
        ("epochs", 10**400),
        ("patience", 10**400),
        ("nodes", 10**9),
        ("tasks_per_node", 10**9),
        ("threads_per_rank", 10**6),
        ("flow_transforms", 10**6),
        ("figure_images", 10**12),
        ("ais_temperatures", 10**12),
        ("ais_chains", 10**12),
        ("beta", 10**400),
        ("warmup_epochs", 10**400),
    ],
)
def test_a_number_above_its_own_limit_is_refused(key: str, number: int) -> None:
    assert f"config: runs.one.{key}: 10000" in refusal(config(**{key: number}))
    assert key in refusal({**config(), "defaults": {key: number}})


@HUGE
@pytest.mark.parametrize(
    ("key", "values", "complaint"),
    [
        ("seeds", list(range(10**5)), "100000 are more than the 1000 allowed"),
        ("encoder_layers", [1] * 10**4, "10000 are more than the 100 allowed"),
        ("channels", [1] * 50, "50 are more than the 10 allowed"),
    ],
)
def test_a_list_of_too_many_is_refused(key: str, values: list[int], complaint: str) -> None:
    assert f"runs.one.{key}: {complaint}" in refusal(config(**{key: values}))


@HUGE
def test_more_trainings_than_can_be_planned_are_refused() -> None:
    values = {**config(), "defaults": {"seeds": list(range(1000))}}
    values["runs"] = {f"run{number}": {} for number in range(11)}
    assert "runs: 11000 trainings, one for each seed of each run" in refusal(values)


@HUGE
@pytest.mark.parametrize("key", ["batch_size", "batch_per_rank"])
def test_a_batch_of_data_that_nobody_has_read_is_bounded_as_well(key: str) -> None:
    mine = {"source": "file", "path": "x.npy", "validation_images": 50, "test_images": 50}
    run = {"dataset": "mine", "tasks_per_node": 1, key: 10**12}
    values = {"datasets": {"mine": mine}, "runs": {"one": run}}
    assert "runs.one.batch_size: training" in refusal(values, read_files=False)


@pytest.mark.parametrize(
    "run",
    [
        {"encoder_layers": [10_000] * 10, "decoder_layers": [10_000] * 10},
        {"latent_dim": 4096, "posterior": "full_covariance"},
        {"training_samples": 5000, "objective": "importance_weighted"},
        {"epochs": 10**8},
        {"importance_samples": 10**7, "chunk_samples": 10**4},
        {"ais_images": 397, "ais_temperatures": 10**5, "ais_chains": 100},
        {"prior": "vamp", "kl": "sampled", "prior_components": 10_000},
    ],
    ids=str,
)
def test_what_is_large_and_could_be_done_passes(run: dict[str, Any]) -> None:
    check(config(**run))


# No configurations of runs: values of papers, and what a study searches.
OTHERS = {ROOT / "config" / name for name in ("published.yaml", "study.yaml")}


@pytest.mark.parametrize("path", sorted({*(ROOT / "config").glob("*.yaml")} - OTHERS))
def test_every_configuration_that_is_shipped_passes(path: Path) -> None:
    check(yaml.safe_load(path.read_text()), read_files=False)
