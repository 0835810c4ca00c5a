"""A run that is edited while a job of it works, and two jobs on one state."""

import subprocess
import time
from collections.abc import Callable
from pathlib import Path

import psutil
import pytest

LONG = {"epochs": 100_000}
SLOW = {"importance_samples": 400_000}


class Started:
    """A program of a few ranks at work, and what it says in the end."""

    def __init__(self, words: list[str], folder: Path) -> None:
        self.process = subprocess.Popen(words, stderr=subprocess.PIPE, text=True, cwd=folder)

    def works_until(self, happens: Callable[[], object]) -> None:
        deadline = time.monotonic() + 60
        while not happens():
            assert self.process.poll() is None and time.monotonic() < deadline
            time.sleep(0.02)

    def error_line(self) -> str:
        told = self.process.communicate(timeout=120)[1]
        assert self.process.returncode not in (0, None)
        assert "Traceback" not in told
        (line,) = [line for line in told.splitlines() if line.startswith("error: ")]
        return line

    def kill(self) -> None:
        for process in [*psutil.Process(self.process.pid).children(recursive=True), self.process]:
            process.kill()
        self.process.communicate()


@pytest.fixture
def start(launch_command, scripts, tmp_path):
    started = []

    def run(script: str, arguments: list[object], ranks: int = 2) -> Started:
        words = launch_command(scripts / f"{script}.py", *arguments, ranks=ranks)
        started.append(Started(words, tmp_path))
        return started[-1]

    yield run
    for each in started:
        if each.process.poll() is None:
            each.kill()


def add_a_blank(path: Path) -> None:
    path.write_bytes(path.read_bytes() + b" ")


EDITED = pytest.mark.fault(
    "specification, model or data edited while a stage works",
    outcome="one line that names the file; no output changes",
)


@EDITED
def test_a_training_of_what_was_edited_writes_nothing(experiment, start):
    run = experiment(epochs=60)
    (run.folder / "metrics.csv").write_text("of an earlier run")
    training = start("train", run.train_arguments(checkpoint_seconds=0))
    training.works_until(run.checkpoints)
    add_a_blank(run.folder / "run.json")
    assert "run.json was edited while this ran: nothing is written" in training.error_line()
    assert (run.folder / "metrics.csv").read_text() == "of an earlier run"
    assert not (run.folder / "model.safetensors").exists()
    assert not (run.folder / "speed.json").exists()


@EDITED
@pytest.mark.parametrize("edited", ["model.safetensors", "data/toy/manifest.json"])
def test_an_evaluation_of_what_was_edited_writes_nothing(trained, start, edited):
    run = trained
    run.specify(epochs=5, chunk_images=2, importance_samples=5000)
    evaluation = start("evaluate", run.evaluate_arguments())
    evaluation.works_until(lambda: list((run.folder / "state/evaluate").glob("*/*.json")))
    add_a_blank(run.folder / edited)
    assert f"{edited} was edited while this ran: nothing is written" in evaluation.error_line()
    assert not list(run.folder.glob("evaluation/*"))


@pytest.mark.fault(
    "a second training or evaluation started beside the first one",
    outcome="the second ends in one line with process and host of the first",
)
@pytest.mark.parametrize("script", ["train", "evaluate"])
def test_a_second_job_on_a_state_is_told_of_the_first(experiment, trained, start, script):
    if script == "train":
        run = experiment("untrained", **LONG)
        arguments = run.train_arguments()
    else:
        run = trained
        run.specify(epochs=5, **SLOW)
        arguments = run.evaluate_arguments()
    first = start(script, arguments, ranks=1)
    lock = (run.states() if script == "train" else run.folder / "state/evaluate") / ".lock"
    first.works_until(lambda: lock.exists() and lock.read_text())
    line = start(script, arguments).error_line()
    assert f"{lock.parent} is being worked on by {lock.read_text().strip()}: " in line
    assert first.process.poll() is None, "the first one works on"
