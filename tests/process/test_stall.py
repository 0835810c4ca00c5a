"""A rank that stands still: it is named with its host, and all ranks end."""

import json
import os
import signal
import socket
import subprocess
import time
from collections.abc import Callable
from pathlib import Path

import psutil
import pytest

SECONDS = 6  # after which a rank is given up: enough to load Python on a busy machine
HOST = socket.gethostname()


def script(folder: Path, scripts: Path, before: str, after: str) -> Path:
    """A script with lines before and after its rank joins the others."""
    lines = ["import os, sys, time", f"sys.path.insert(0, {str(scripts)!r})"]
    lines += ["import torch", "from elboflow.ranks.collectives import add, position"]
    lines += ["from elboflow.ranks.worker import start"]
    path = folder / "script.py"
    path.write_text("\n".join([*lines, before, "start()", after]))
    return path


@pytest.fixture
def start(launch_command, tmp_path):
    """Start ranks that may stand still for SECONDS; all are gone in the end."""
    started = []

    def run(
        *arguments: object, ranks: int = 2, collectives: str = "horovod"
    ) -> subprocess.Popen[str]:
        changes = {"ELBOFLOW_STALL_SECONDS": str(SECONDS), "ELBOFLOW_COLLECTIVES": collectives}
        process = subprocess.Popen(
            launch_command(*arguments, ranks=ranks),
            env={**os.environ, **changes},
            stdout=subprocess.DEVNULL,
            stderr=subprocess.PIPE,
            text=True,
            cwd=tmp_path,
        )
        started.append(process)
        return process

    yield run
    for process in started:
        if process.poll() is None:
            for each in [*psutil.Process(process.pid).children(recursive=True), process]:
                each.kill()
            process.communicate()


def wait_until(happens: Callable[[], object], process: subprocess.Popen[str]) -> None:
    deadline = time.monotonic() + 60
    while not happens():
        assert process.poll() is None and time.monotonic() < deadline
        time.sleep(0.02)


def stop_rank(process: subprocess.Popen[str], rank: int) -> None:
    """Stop a rank as a debugger or a frozen node does."""
    for each in psutil.Process(process.pid).children():
        if each.environ().get("OMPI_COMM_WORLD_RANK") == str(rank):
            return each.send_signal(signal.SIGSTOP)
    raise AssertionError(f"no rank {rank}")


def error_lines(process: subprocess.Popen[str]) -> list[str]:
    told = process.communicate(timeout=120)[1]
    assert process.returncode != 0
    return [line for line in told.splitlines() if line.startswith("error: ")]


def error_line(process: subprocess.Popen[str]) -> str:
    (line,) = error_lines(process)
    return line


@pytest.mark.fault(
    "a rank that hangs, before it joins the others or after",
    outcome="it is named with its host, and all ranks end",
)
@pytest.mark.parametrize("collectives", ["horovod", "torch"])
@pytest.mark.parametrize("when", ["before", "after"])
def test_a_rank_that_hangs_is_named(start, scripts, tmp_path, when, collectives):
    hang = 'if os.environ["OMPI_COMM_WORLD_RANK"] == "1": time.sleep(600)'
    lines = {"before": "", "after": "", when: hang}
    path = script(
        tmp_path, scripts, lines["before"], f"{lines['after']}\nadd(torch.ones(1), 'ones')"
    )
    told = error_lines(start(path, collectives=collectives))
    named = f"error: for {SECONDS} seconds (stall_seconds) nothing was done by rank 1 on {HOST};"
    # Under torch.distributed the other rank gives up after as long.
    missed = "error: rank 1 has not joined" if collectives == "torch" else named
    assert told and all(line.startswith((named, missed)) for line in told)
    assert list(tmp_path.iterdir()) == [path], "no sign is left"


@pytest.mark.fault(
    "a rank stopped (SIGSTOP) in a training",
    outcome="it is named with its host, all ranks end; started again it ends with the same bits",
)
def test_a_training_whose_rank_is_stopped_ends_and_goes_on(experiment, start, scripts):
    straight, run = experiment("straight", epochs=40), experiment("stopped", epochs=40)
    assert straight.train(ranks=2).returncode == 0
    training = start(scripts / "train.py", *run.train_arguments(checkpoint_seconds=0))
    wait_until(run.checkpoints, training)
    stop_rank(training, 0)
    assert f"nothing was done by rank 0 on {HOST};" in error_line(training)
    assert not (run.folder / "model.safetensors").exists()
    assert run.train(ranks=2).returncode == 0
    speed = json.loads((run.folder / "speed.json").read_text())
    assert speed["started_at_step"] > 0
    for name in ("model.safetensors", "model.json"):
        assert (run.folder / name).read_bytes() == (straight.folder / name).read_bytes()


@pytest.mark.fault(
    "a rank stopped (SIGSTOP) in an evaluation",
    outcome="it is named with its host, and all ranks end",
)
def test_an_evaluation_whose_rank_is_stopped_ends(trained, start, scripts):
    run = trained
    run.specify(epochs=5, chunk_images=2, importance_samples=5000)
    evaluation = start(scripts / "evaluate.py", *run.evaluate_arguments())
    wait_until(lambda: list((run.folder / "state/evaluate").glob("*/*.json")), evaluation)
    stop_rank(evaluation, 1)
    assert f"nothing was done by rank 1 on {HOST};" in error_line(evaluation)


@pytest.mark.fault(
    "long work of one rank while the others wait for it, or have ended",
    outcome="it is waited for",
)
@pytest.mark.parametrize(
    ("others", "collectives"),
    [("wait", "horovod"), ("have ended", "horovod"), ("wait", "torch")],
)
def test_a_rank_that_works_is_waited_for(start, scripts, tmp_path, others, collectives):
    work = f"end = time.time() + {1.5 * SECONDS}\n"
    work += "while position()[0] == 0 and time.time() < end: pass\n"
    path = script(tmp_path, scripts, "", work + ("add(torch.ones(1), 'ones')" * (others == "wait")))
    process = start(path, collectives=collectives)
    assert process.communicate(timeout=120)[1] == ""
    assert process.returncode == 0


@pytest.mark.fault(
    "a rank that never joins the others although it works, under torch.distributed",
    outcome="it is named, and all ranks end",
)
def test_a_rank_that_never_joins_is_named(start, scripts, tmp_path):
    busy = 'while os.environ["OMPI_COMM_WORLD_RANK"] == "1": pass'
    line = error_line(start(script(tmp_path, scripts, busy, ""), collectives="torch"))
    assert line.startswith(
        f"error: rank 1 has not joined rank 0 on {HOST} within {SECONDS} seconds (stall_seconds)"
    )
