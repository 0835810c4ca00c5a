"""Checkouts in temporary folders in which Snakemake itself runs, on one shared environment."""

import fcntl
import os
import shutil
from collections.abc import Callable
from pathlib import Path
from typing import Any

import pytest

from checkout import TINY, Checkout


@pytest.fixture(scope="session")
def finished_once(tmp_path_factory: pytest.TempPathFactory) -> Checkout:
    """A checkout in which the tiny configuration has run to the report: one for all processes."""
    folder = tmp_path_factory.getbasetemp()
    shared = (folder.parent if "PYTEST_XDIST_WORKER" in os.environ else folder) / "finished"
    shared.mkdir(exist_ok=True)
    checkout, whole = Checkout(shared / "checkout"), shared / "whole"
    with (shared / "lock").open("w") as lock:
        fcntl.flock(lock, fcntl.LOCK_EX)
        if not whole.exists():
            shutil.rmtree(checkout.folder, ignore_errors=True)  # of a process that failed
            Checkout.fresh(checkout.folder)
            checkout.configure(TINY)
            checkout.borrow_environment()
            checkout.run()
            whole.touch()
    return checkout


@pytest.fixture
def finished(finished_once: Checkout, tmp_path: Path) -> Checkout:
    """A copy of the finished checkout, for a test to change."""
    return finished_once.copy(tmp_path / "checkout")


@pytest.fixture
def fresh(tmp_path: Path) -> Checkout:
    """A checkout as a clone leaves it."""
    return Checkout.fresh(tmp_path / "checkout")


@pytest.fixture
def tiny() -> Callable[..., dict[str, Any]]:
    """The tiny configuration with keys of `defaults` changed, or of one run."""

    def make(run: str | None = None, **changes: Any) -> dict[str, Any]:
        config = {**TINY, "runs": dict(TINY["runs"])}
        if run is None:
            config["defaults"] = {**TINY["defaults"], **changes}
        else:
            config["runs"][run] = {**config["runs"].get(run, {}), **changes}
        return config

    return make
