"""Weights that were trained elsewhere: nothing is trained, and all that follows is the same."""

import csv
import json

import pytest
import torch
from safetensors.torch import save_file

from elboflow.trained.model_file import read_model


def metrics_of(run):
    with (run.folder / "metrics.csv").open() as file:
        return list(csv.DictReader(file))


def error_line(result):
    assert result.returncode != 0 and "Traceback" not in result.stderr
    lines = [line for line in result.stderr.splitlines() if line.startswith("error: ")]
    assert len(lines) == 1, result.stderr
    return lines[0]


@pytest.fixture
def state(trained_once):
    return read_model(trained_once.folder / "model.safetensors").weights


@pytest.mark.parametrize(("suffix", "ranks"), [("pt", 1), ("safetensors", 2)])
def test_a_trainings_weights_give_its_results(
    evaluated_once, state, experiment, tmp_path, suffix, ranks
):
    path = tmp_path / f"weights.{suffix}"
    if suffix == "pt":
        torch.save({"epoch": 3, "state_dict": state}, path)
    else:
        save_file(state, path)
    given = experiment("given", weights=str(path), epochs=5)
    done = given.train(ranks=ranks)
    assert done.returncode == 0, done.stderr
    (row,) = metrics_of(given)
    (*_, last) = metrics_of(evaluated_once)
    assert (row["epoch"], row["step"], row["train_elbo_nats"], row["learning_rate"]) == (
        *("0", "0", "", ""),
    )
    for name in ("validation_elbo_nats", "validation_rate_nats", "validation_distortion_nats"):
        assert float(row[name]) == pytest.approx(float(last[name]), rel=1e-12)
    adopted = read_model(given.folder / "model.safetensors")
    assert adopted.about["epoch"] == 0
    assert all((adopted.weights[name] == state[name]).all() for name in state)
    assert json.loads((given.folder / "speed.json").read_text())["steps"] == 0
    assert not given.checkpoints()
    assert given.evaluate(ranks=ranks).returncode == 0
    tables = [
        (run.folder / "evaluation" / "per_image.csv").read_bytes()
        for run in (evaluated_once, given)
    ]
    assert tables[0] == tables[1]


def test_weights_of_another_model_are_refused_in_one_line(state, experiment, tmp_path):
    path = tmp_path / "weights.pt"
    torch.save({**state, "more": torch.ones(2)}, path)
    line = error_line(experiment("given", weights=str(path)).train(ranks=2))
    assert line == f"error: {path}: parameters unknown to the model: 1 (more)"


def test_files_that_were_edited_since_they_were_planned_are_refused(state, experiment, tmp_path):
    path = tmp_path / "weights.pt"
    torch.save(state, path)
    given = experiment("given", weights=str(path))
    path.write_bytes(path.read_bytes() + b" ")
    line = error_line(given.train(ranks=2))
    assert line == f"error: {path}: was edited since this run was planned; start Snakemake again"
    path.unlink()
    assert f"{path}: cannot be read (No such file or directory)" in error_line(given.train())
