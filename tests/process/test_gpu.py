"""The same programs on a GPU: to the same numbers as on a CPU, to the same bits at each repeat.

    python -m pytest tests/process/test_gpu.py

in an environment that was built with --gpu cuda; benchmarks/gpu_check.sh makes one and runs them.
"""

import csv
import json

import numpy as np
import pytest
import torch

from elboflow.trained.model_file import read_model
from elboflow.vae.noise import Purpose, words

GPUS = torch.cuda.device_count()
pytestmark = [
    pytest.mark.gpu,
    pytest.mark.skipif(not GPUS, reason="no GPU that this torch can use"),
]
ON_CPU = {"ELBOFLOW_GPU": "none"}
ON_GPU = {"ELBOFLOW_GPU": "cuda"}
needs_two = pytest.mark.skipif(GPUS < 2, reason="one GPU: two ranks need two")


def parameters(run):
    return read_model(run.folder / "model.safetensors").weights


def largest_difference(one, other):
    return max((one[name] - other[name]).abs().max().item() for name in one)


def trained(run, env, ranks=1):
    done = run.train(ranks, env)
    assert done.returncode == 0, done.stderr
    return run


def per_image(run, env, ranks=1):
    done = run.evaluate(ranks, env)
    assert done.returncode == 0, done.stderr
    with (run.folder / "evaluation" / "per_image.csv").open() as file:
        rows = list(csv.DictReader(file))
    return {name: np.array([float(row[name]) for row in rows]) for name in rows[0]}


def test_the_smoke_test_names_gpu_and_nccl(launch, scripts, tmp_path):
    tables = ["--ranks-csv", tmp_path / "ranks.csv", "--allreduce-csv", tmp_path / "allreduce.csv"]
    done = launch(scripts / "smoke_test.py", "--repeats", 3, *tables, ranks=1, env=ON_GPU)
    assert done.returncode == 0, done.stderr
    with (tmp_path / "ranks.csv").open() as file:
        (row,) = csv.DictReader(file)
    assert row["device"] == torch.cuda.get_device_properties(0).name
    assert row["adds_with"].startswith("NCCL 2.")


def test_noise_is_drawn_on_the_gpu_to_the_bit():
    starts = [(0, 0), (7, 123_456_789_012)]
    here, there = (words(3, Purpose.TRAINING, starts, 50, 7, name) for name in ("cpu", "cuda"))
    assert torch.equal(here, there.cpu())


def test_training_follows_that_on_a_cpu(experiment):
    """100 steps in float64, whose rounding differs in the last digits only."""
    gpu = trained(experiment("gpu", patience=9), ON_GPU)
    cpu = trained(experiment("cpu", patience=9), ON_CPU)
    assert largest_difference(parameters(gpu), parameters(cpu)) < 1e-8
    device = json.loads((gpu.folder / "speed.json").read_text())["device"]
    assert device == torch.cuda.get_device_properties(0).name


@pytest.mark.parametrize("precision", ["float32", "tf32", "bf16"])
def test_training_repeats_to_the_same_bits(experiment, precision):
    one, other = (
        trained(experiment(name, precision=precision), ON_GPU) for name in ("one", "other")
    )
    for name in ("metrics.csv", "model.safetensors"):
        assert (one.folder / name).read_bytes() == (other.folder / name).read_bytes()


def test_a_killed_training_goes_on_to_the_same_bits(experiment, kill_in_the_middle):
    changes = {"precision": "float32", "epochs": 40, "patience": 39}
    straight, killed = experiment("straight", **changes), experiment("killed", **changes)
    trained(straight, ON_GPU)
    kill_in_the_middle(killed, ranks=1, env=ON_GPU)
    trained(killed, ON_GPU)
    speed = json.loads((killed.folder / "speed.json").read_text())
    assert 0 < speed["started_at_step"] < speed["steps"]
    for name in ("metrics.csv", "model.safetensors"):
        assert (killed.folder / name).read_bytes() == (straight.folder / name).read_bytes()


def test_evaluation_agrees_with_that_on_a_cpu(experiment):
    """Of the same weights, with the same noise, in float32: to 1e-4 nat for each image."""
    run = trained(experiment(precision="float32"), ON_GPU)
    gpu, cpu = per_image(run, ON_GPU), per_image(run, ON_CPU)
    for name in ("elbo_nats", "rate_nats", "distortion_nats", "log_likelihood_nats"):
        np.testing.assert_allclose(gpu[name], cpu[name], rtol=0, atol=1e-4)
    np.testing.assert_allclose(gpu["ess"], cpu["ess"], rtol=1e-3)


def test_what_tf32_changes_is_measured(experiment):
    run = trained(experiment(precision="tf32"), ON_GPU)
    per_image(run, ON_GPU)
    with (run.folder / "evaluation" / "summary.csv").open() as file:
        summary = {row["quantity"]: row for row in csv.DictReader(file)}
    assert abs(float(summary["elbo_minus_float32"]["value"])) < 0.1


@needs_two
def test_two_gpus_agree_with_one(experiment):
    one, two = experiment("one", patience=9), experiment("two", patience=9)
    trained(one, ON_GPU)
    trained(two, ON_GPU, ranks=2)
    assert largest_difference(parameters(one), parameters(two)) < 1e-9
    alone, shared = per_image(one, ON_GPU), per_image(one, ON_GPU, ranks=2)
    for name, values in alone.items():
        np.testing.assert_allclose(shared[name], values, rtol=1e-9, atol=1e-9)
