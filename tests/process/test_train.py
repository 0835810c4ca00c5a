import json
import os
import pty
import re
import shutil
import subprocess
from pathlib import Path

import numpy as np
import pytest

from elboflow.trained.model_file import read_model
from event_files import curves

TRAIN = Path(__file__).parents[2] / "workflow/scripts/train.py"


def parameters(folder):
    return read_model(folder / "model.safetensors").weights


def largest_difference(one, other):
    return max((one[name] - other[name]).abs().max().item() for name in one)


def error_line(result):
    """The one line that a failed program says."""
    assert result.returncode != 0
    assert "Traceback" not in result.stderr
    lines = [line for line in result.stderr.splitlines() if line.startswith("error: ")]
    assert len(lines) == 1, result.stderr
    return lines[0]


@pytest.mark.promise(
    "report",
    "1, 2 and 4 ranks agree in float64",
    "all parameters and metrics after 100 steps: 1e-9",
)
def test_results_do_not_depend_on_the_number_of_ranks(experiment):
    """100 steps in float64; over 4 ranks the 30 images of a batch are shares of 7 and 8.

    Nor on what adds, whose order is another one from 3 ranks on.
    """
    kinds = [(1, "horovod"), (2, "horovod"), (4, "horovod"), (4, "torch")]
    runs = {kind: experiment(f"{kind[1]}{kind[0]}", patience=9) for kind in kinds}
    for (ranks, collectives), run in runs.items():
        assert run.train(ranks, {"ELBOFLOW_COLLECTIVES": collectives}).returncode == 0
        speed = json.loads((run.folder / "speed.json").read_text())
        assert (speed["ranks"], speed["steps"]) == (ranks, 100)
        assert 0 < speed["seconds"] < speed["job_seconds"]
        assert 0 <= speed["over_time"][-1][1] <= speed["images"]
        told = json.loads((run.states() / ".progress").read_text())
        assert told["share"] == 1
    alone, *others = (run.folder for run in runs.values())
    metrics = np.genfromtxt(alone / "metrics.csv", delimiter=",", skip_header=1)
    for folder in others:
        assert largest_difference(parameters(alone), parameters(folder)) < 1e-9
        other = np.genfromtxt(folder / "metrics.csv", delimiter=",", skip_header=1)
        np.testing.assert_allclose(other, metrics, rtol=1e-9, atol=1e-9)


@pytest.mark.promise(
    "report",
    "a training that was killed and goes on gives the same bits",
    "kill -9 of two ranks in the middle",
)
def test_a_killed_training_goes_on_to_the_same_bits(straight_once, long_run, kill_in_the_middle):
    killed = long_run
    kill_in_the_middle(killed)
    assert killed.train(ranks=2).returncode == 0
    speed = json.loads((killed.folder / "speed.json").read_text())
    assert 0 < speed["started_at_step"] < speed["steps"]
    for name in ("metrics.csv", "model.safetensors", "model.json"):
        assert (killed.folder / name).read_bytes() == (straight_once.folder / name).read_bytes()


def test_a_training_goes_on_with_half_as_many_ranks(experiment, kill_in_the_middle):
    """As that of a run with `nodes: [least, most]` does whose node was lost."""
    straight, killed = experiment("straight", epochs=40), experiment("killed", epochs=40)
    assert straight.train(ranks=1).returncode == 0
    kill_in_the_middle(killed, ranks=4)
    assert killed.train(ranks=2).returncode == 0
    difference = largest_difference(parameters(straight.folder), parameters(killed.folder))
    assert difference < 1e-9


def test_a_finished_training_only_rewrites_its_outputs(trained):
    run = trained
    first = (run.folder / "model.safetensors").read_bytes()
    (run.folder / "model.safetensors").unlink()
    assert run.train().returncode == 0
    assert (run.folder / "model.safetensors").read_bytes() == first
    speed = json.loads((run.folder / "speed.json").read_text())
    assert speed["started_at_step"] == speed["steps"] == 50


@pytest.mark.fault(
    "a run is edited, and then edited back", outcome="its finished training is taken up at once"
)
def test_going_back_to_a_former_specification_is_instant(trained):
    run = trained
    first = (run.folder / "model.safetensors").read_bytes()
    run.specify(epochs=5, beta=2.0)
    result = run.train()
    assert result.returncode == 0
    assert re.search(r"starting over\. It takes \d+\.\d MB: the newest 4 are kept", result.stderr)
    assert (run.folder / "model.safetensors").read_bytes() != first
    run.specify(epochs=5)
    assert "starting over" not in run.train().stderr
    assert (run.folder / "model.safetensors").read_bytes() == first
    speed = json.loads((run.folder / "speed.json").read_text())
    assert speed["started_at_step"] == speed["steps"] == 50


@pytest.mark.parametrize("place", ["seed1", "seed1.superseded"])
def test_a_state_where_earlier_versions_kept_it_is_found(trained, place):
    run = trained
    (now,) = run.checkpoints()
    former = run.folder / "state" / place / "checkpoint.pt"
    former.parent.mkdir(exist_ok=True)
    now.rename(former)
    (now.parent / "previous.pt").unlink(missing_ok=True)
    shutil.rmtree(now.parent)
    assert "starting over" not in run.train().stderr
    assert json.loads((run.folder / "speed.json").read_text())["started_at_step"] == 50
    assert now.exists()


def test_a_damaged_checkpoint_is_named_and_training_starts_over(trained):
    (checkpoint,) = trained.checkpoints()
    checkpoint.write_bytes(checkpoint.read_bytes()[:-5])
    result = trained.train()
    assert result.returncode == 0
    assert "checkpoint.pt: truncated or damaged" in result.stderr


def test_divergence_ends_all_ranks_in_one_line(experiment):
    run = experiment(learning_rate=1e300)
    line = error_line(run.train(ranks=2))
    assert "toy_run seed 1: the objective or its gradient is not finite at step" in line
    assert "lower learning_rate" in line
    assert not (run.folder / "model.safetensors").exists()


@pytest.mark.parametrize(
    ("harm", "message"),
    [
        (lambda folder: (folder / "run.json").write_text("{"), "run.json: not a readable run"),
        (lambda folder: (folder / "data/toy/train.npy").unlink(), "train.npy: unreadable"),
        (lambda folder: (folder / "data/toy/manifest.json").unlink(), "manifest.json: unreadable"),
    ],
)
def test_unreadable_input_is_one_line(experiment, harm, message):
    run = experiment()
    harm(run.folder)
    assert message in error_line(run.train(ranks=2))


def test_a_batch_larger_than_the_data_is_one_line(experiment):
    line = error_line(experiment(batch_size=301).train(ranks=2))
    assert "batch_size: 301 is more than the 300 training images" in line


def test_progress_is_plain_lines_without_a_terminal(experiment):
    result = experiment().train(ranks=2)
    lines = [line for line in result.stderr.splitlines() if "images/s" in line]
    assert len(lines) == 1, "one rank speaks"
    assert lines[0].startswith("toy_run seed 1: 100%, ")
    assert "\r" not in result.stderr


def run_on_a_terminal(words):
    """What a program prints that has a terminal for its stderr."""
    master, terminal = pty.openpty()
    process = subprocess.Popen(words, stdout=terminal, stderr=terminal)
    os.close(terminal)
    printed = b""
    try:
        while piece := os.read(master, 4096):
            printed += piece
    except OSError:  # the other end was closed
        pass
    assert process.wait() == 0
    return printed.decode()


def test_progress_is_a_bar_on_a_terminal_and_one_line_in_the_log(experiment, launch_command):
    run = experiment()
    words = launch_command(TRAIN, *run.train_arguments(), ranks=2)
    words[words.index("--") : words.index("--")] = ["--log", str(run.folder / "log")]
    assert "toy_run seed 1: 100%|" in run_on_a_terminal(words)
    log = (run.folder / "log").read_text()
    assert "\r" not in log
    assert "toy_run seed 1: 100%" in log


@pytest.mark.fault("the log of a job is on a full disk", outcome="it says so, and the work goes on")
def test_a_log_that_cannot_be_written_ends_no_training(experiment, launch_command):
    run = experiment()
    words = launch_command(TRAIN, *run.train_arguments())
    words[words.index("--") : words.index("--")] = ["--log", "/dev/full"]
    done = subprocess.run(words, capture_output=True, text=True, timeout=120, check=False)
    assert done.returncode == 0, done.stderr
    assert "launch.sh: /dev/full cannot be written and ends here; the work goes on" in done.stderr
    assert (run.folder / "model.safetensors").exists()


@pytest.mark.fault(
    "the disk is full when a training saves its state",
    outcome="one line with the file and what to do; the checkpoint before it stays and serves",
)
def test_a_full_disk_ends_a_training_in_one_line(experiment, small_disk):
    """The disk holds a checkpoint or two, and no more beside what fills it later."""
    run = experiment()
    (run.folder / "state").symlink_to(small_disk)
    assert run.train().returncode == 0
    (checkpoint,) = run.checkpoints()
    before, size = checkpoint.read_bytes(), checkpoint.stat().st_size
    (run.folder / "model.safetensors").unlink()
    (checkpoint.parent / "previous.pt").unlink(missing_ok=True)
    room = os.statvfs(small_disk)
    filling = room.f_bavail * room.f_frsize - size // 2
    (small_disk / "filling").write_bytes(bytes(filling))
    line = error_line(run.train(ranks=2))
    assert line.startswith(f"error: no space left on device: {checkpoint}; make room on that disk")
    assert {path.name for path in checkpoint.parent.iterdir()} == {".lock", "checkpoint.pt"}
    assert checkpoint.read_bytes() == before
    (small_disk / "filling").unlink()
    assert run.train().returncode == 0
    assert json.loads((run.folder / "speed.json").read_text())["started_at_step"] == 100


def test_a_training_stops_before_the_jobs_end_and_goes_on_to_the_same_bits(experiment, tmp_path):
    """The deadline has passed already, so that each job takes one step."""
    changes = {"epochs": 1, "batch_size": 100}
    straight, stopped = experiment("straight", **changes), experiment("stopped", **changes)
    assert straight.train(ranks=2).returncode == 0
    wanted = tmp_path / "continue"
    job = {"SNAKEMAKE_QSUB_DEADLINE": "1", "SNAKEMAKE_QSUB_CONTINUE": str(wanted)}
    steps = []
    while not (stopped.folder / "model.safetensors").exists():
        result = stopped.train(ranks=2, env=job)
        if result.returncode:
            assert "the time of this job is up; saved at step" in result.stderr
            assert wanted.exists()
            wanted.unlink()
        steps.append(result.returncode)
    assert steps == [75, 75, 0], "3 steps, the last of which is the end"
    assert not wanted.exists()
    for name in ("metrics.csv", "model.safetensors", "model.json"):
        assert (stopped.folder / name).read_bytes() == (straight.folder / name).read_bytes()


def test_events_for_tensorboard_are_of_rank_0_alone(experiment, launch):
    run = experiment()
    words = run.train_arguments(tensorboard=1)
    assert launch(TRAIN, *words, ranks=2).returncode == 0
    steps = np.genfromtxt(run.folder / "metrics.csv", delimiter=",", names=True)["step"]
    found = curves(run.folder / "tensorboard")
    assert [step for step, _ in found["validation/elbo_nats"]] == steps.tolist()
    assert launch(TRAIN, *run.train_arguments(), ranks=1).returncode == 0
    assert not list((run.folder / "tensorboard").iterdir()), "curves of a training that is no more"
