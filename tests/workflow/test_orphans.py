"""Snakemake is killed with -9: nothing that it started goes on, and what comes next is whole."""

import signal
import subprocess
import sys
from collections.abc import Callable, Iterator
from pathlib import Path

import pandas as pd
import psutil
import pytest

from checkout import Checkout
from waiting import wait_until

TRAINED = "results/runs/plain/seed1/model.safetensors"
MEASURED = "results/runs/plain/seed1/summary.csv"
# A target that each of these scripts makes: a shell command, one with a pipe, a `script:`.
MADE_BY = {
    "build_environment": "results/environment/build.json",
    "fetch_data": "results/data/digits/manifest.json",
    "chapter_jensen": "results/chapter/jensen.csv",
}


def working_in(folder: Path) -> list[psutil.Process]:
    """The processes whose working directory this is."""
    found = []
    for process in psutil.process_iter():
        try:
            if process.cwd() == str(folder) and process.status() != psutil.STATUS_ZOMBIE:
                found.append(process)
        except (psutil.NoSuchProcess, psutil.AccessDenied):
            continue
    return found


@pytest.fixture
def kill_driver(fresh: Checkout) -> Iterator[Callable[[str, Callable[[], object]], None]]:
    """Start Snakemake, kill -9 it as soon as something holds, and wait until all have ended."""

    def run(target: str, holds: Callable[[], object]) -> None:
        words = [sys.executable, "-m", "snakemake", "--cores", "2", target]
        driver = subprocess.Popen(
            words, cwd=fresh.folder, stdout=subprocess.DEVNULL, stderr=subprocess.DEVNULL
        )
        wait_until(lambda: holds() or driver.poll() is not None, "the moment to kill")
        assert driver.poll() is None, "it ended by itself"
        driver.send_signal(signal.SIGKILL)
        wait_until(lambda: not working_in(fresh.folder), "the end of all jobs")

    yield run
    for process in working_in(fresh.folder):
        process.kill()


@pytest.mark.fault("Snakemake killed with -9", outcome="what it started ends within seconds")
@pytest.mark.parametrize("script", MADE_BY)
def test_no_job_outlives_its_driver(fresh, tiny, kill_driver, script):
    fresh.configure(tiny())
    path = fresh.folder / f"workflow/scripts/{script}.py"
    main = 'if __name__ == "__main__":\n'
    halt = "    open('here', 'w'); __import__('time').sleep(600)\n"
    path.write_text(path.read_text().replace(main, main + halt))
    kill_driver(MADE_BY[script], (fresh.folder / "here").exists)


@pytest.mark.fault(
    "Snakemake killed with -9 in a training, the run edited, started again",
    outcome="results of the edited run alone",
)
def test_a_killed_training_leaves_nothing_to_the_edited_one(fresh, tiny, kill_driver):
    fresh.borrow_environment()
    fresh.configure(tiny("plain", epochs=1_000_000, latent_dim=4))
    log = fresh.folder / "results/logs/train/plain/seed1.log"
    kill_driver(TRAINED, lambda: log.exists() and "images/s" in log.read_text())
    fresh.configure(tiny("plain", epochs=4, latent_dim=3))
    assert fresh.snakemake("--unlock").returncode == 0
    fresh.run("--rerun-incomplete", MEASURED)
    metrics = pd.read_csv(fresh.folder / "results/runs/plain/seed1/metrics.csv")
    assert metrics["epoch"].tolist() == [1, 2, 3, 4]
    assert len(pd.read_csv(fresh.folder / "results/runs/plain/seed1/units.csv")) == 3
    assert fresh.planned(MEASURED) == {}
