"""`make status` beside a Snakemake that works, waits or has failed."""

import os
import signal
import subprocess
import sys
from pathlib import Path

import pytest

from checkout import Checkout
from waiting import wait_until

STAND_IN = Path(__file__).parents[2] / "plugins/snakemake-executor-plugin-qsub/tests/pbs_stand_in"


def status(checkout: Checkout) -> str:
    """What it prints."""
    door = [sys.executable, "workflow/scripts/status.py"]
    return subprocess.check_output(door, cwd=checkout.folder, text=True)


def test_a_finished_experiment_is_done(finished_once):
    lines = status(finished_once).splitlines()
    assert [line.split() for line in lines[1:3]] == [["plain", "1", "done"], ["wide", "1", "done"]]
    assert lines[-1] == "2 trainings: 2 done"


def test_a_training_that_failed_is_named_with_its_log(finished, tiny):
    finished.configure(tiny("wide", epochs=4))
    wanted = "results/runs/wide/seed1/model.safetensors"
    finished.snakemake(wanted, "--cores", "2", "--set-resources", "train:mpi=nowhere")
    lines = status(finished).splitlines()
    failed = "failed in training, see results/logs/train/wide/seed1.log"
    assert lines[1].split()[:2] == ["wide", "1"] and failed in lines[1]
    assert lines[-1] == "2 trainings: 1 failed, 1 done"
    finished.run(wanted)
    assert "wide   1     waiting for evaluation" in status(finished)


@pytest.mark.parametrize("ends", [signal.SIGINT, signal.SIGKILL])
def test_a_job_in_the_queue_is_told_with_its_id(finished, tiny, tmp_path, ends):
    """Also when Snakemake has been killed: its jobs stay in the queue."""
    finished.configure(tiny("wide", epochs=4, tasks_per_node=2))
    (finished.folder / "empty.sh").touch()
    (finished.folder / "here.yaml").write_text(
        "{set-resources: {train: {tasks_per_node: 2}}, qsub-prelude: empty.sh, qsub-poll: 1}"
    )
    site = {
        "PATH": f"{STAND_IN}{os.pathsep}{os.environ['PATH']}",
        "PBS_STAND_IN": str(tmp_path / "pbs"),
        "PBS_STAND_IN_DELAY": "300",
        "ABCI_GROUP": "gxx00000",
    }
    words = ["--profile", "abci", "--profile", "here.yaml", "results/runs/wide/seed1/metrics.csv"]
    driver = subprocess.Popen(
        [sys.executable, "-m", "snakemake", *words],
        cwd=finished.folder,
        env={**os.environ, **site},
        stdout=subprocess.DEVNULL,
        stderr=subprocess.DEVNULL,
    )
    queued = "queued (0.es1) for training"
    try:
        wait_until(lambda: queued in status(finished) or driver.poll() is not None, queued)
        assert queued in status(finished)
        driver.send_signal(ends)
        driver.wait()
        assert (queued in status(finished)) == (ends is signal.SIGKILL)
    finally:
        driver.kill()
        subprocess.run([STAND_IN / "qdel", "0.es1"], env={**os.environ, **site}, check=False)
