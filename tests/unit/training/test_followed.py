"""What those see who follow a training while it runs: its metrics, and events for TensorBoard."""

import threading
from types import SimpleNamespace

import pytest

from elboflow.ranks import progress
from elboflow.ranks.followed import Followed
from elboflow.ranks.tensorboard import EventFile
from elboflow.vae.checkpoint import deserialise, serialise
from event_files import curves, events


@pytest.fixture(autouse=True)
def told_at_every_step(monkeypatch):
    monkeypatch.setattr(progress, "SECONDS_BETWEEN", 0.0)


def run(training, folder, rank=0, most_steps=10_000, events=None):
    """Train on, followed from `folder`."""
    followed = Followed(training, "a", folder, events, SimpleNamespace(rank=rank))
    while not training.finished and training.step < most_steps:
        if training.advance():
            training.end_epoch()
        followed.step()
    if training.finished:
        followed.close()


def test_the_metrics_grow_while_training_and_are_never_torn(toy, tmp_path):
    seen, over = [], threading.Event()

    def read():
        while not over.is_set():
            if (path := tmp_path / "metrics.csv").exists():
                seen.append(path.read_text())

    reader = threading.Thread(target=read)
    reader.start()
    training = toy["training"](epochs=40)
    run(training, tmp_path)
    over.set()
    reader.join()
    whole = training.metrics_csv()
    assert (tmp_path / "metrics.csv").read_text() == whole
    assert len(set(seen)) > 3
    assert all(whole.startswith(text) and text.endswith("\n") for text in seen)


def test_other_ranks_write_nothing(toy, tmp_path):
    run(toy["training"](), tmp_path, rank=1, events=tmp_path / "tensorboard")
    assert list(tmp_path.iterdir()) == []


def test_events_are_the_metrics_over_steps(toy, tmp_path):
    training = toy["training"](epochs=5)
    run(training, tmp_path, events=tmp_path / "tensorboard")
    found = curves(tmp_path / "tensorboard")
    assert {"train/elbo_nats", "validation/elbo_nats", "beta", "learning_rate"} <= set(found)
    told = [(row["step"], row["validation_elbo_nats"]) for row in training.metrics]
    assert found["validation/elbo_nats"] == [(step, pytest.approx(value)) for step, value in told]


def test_a_training_that_goes_on_has_each_step_once(toy, tmp_path):
    """The first job is killed with epochs in its events that its state does not have."""
    folder = tmp_path / "tensorboard"
    first = toy["training"](epochs=6)
    run(first, tmp_path, most_steps=8)
    state = serialise(first.state())
    run(first, tmp_path, most_steps=15, events=folder)
    assert len(curves(folder)["beta"]) > len(deserialise(state)["metrics"])
    second = toy["training"](epochs=6)
    second.load_state(deserialise(state))
    run(second, tmp_path, events=folder)
    straight = toy["training"](epochs=6)
    run(straight, tmp_path, events=tmp_path / "straight")
    assert curves(folder) == curves(tmp_path / "straight")


def test_a_new_file_makes_tensorboard_forget_the_former(tmp_path):
    EventFile(tmp_path).append([])
    (path,) = tmp_path.glob("*tfevents*")
    version, start = events(path)
    assert version.file_version == "brain.Event:2"
    assert start.session_log.status == start.session_log.START and start.step == 0


@pytest.mark.fault("a folder for TensorBoard that cannot be written", "one line; training goes on")
def test_training_goes_on_where_no_events_can_be_written(toy, tmp_path, capsys):
    (tmp_path / "file").write_text("")
    training = toy["training"]()
    run(training, tmp_path, events=tmp_path / "file" / "tensorboard")
    assert training.finished
    told = [line for line in capsys.readouterr().err.splitlines() if "TensorBoard" in line]
    assert len(told) == 1 and "not a directory" in told[0]
