"""Steps timed on one and on several ranks."""

import json
import os
from collections.abc import Callable
from pathlib import Path
from typing import Any

import pytest


def measure(run: Any, scripts: Path, ranks: int) -> dict[str, Any]:
    record = run.folder / f"ranks{ranks}.json"
    words = ["--training", run.folder / "run.json", "--data", run.folder / "data", "--seed", 1]
    words += ["--images-per-rank", 15, "--steps", 5, "--record", record]
    done = run.launch(scripts / "measure_scaling.py", *words, ranks=ranks)
    assert done.returncode == 0, done.stderr
    return json.loads(record.read_text())


@pytest.mark.parametrize("ranks", [1, 2])
def test_both_kinds_are_timed(experiment: Callable[..., Any], scripts: Path, ranks: int) -> None:
    record = measure(experiment(), scripts, ranks)
    assert (record["run"], record["ranks"], record["device"]) == ("toy_run", ranks, "cpu")
    sizes = {kind: values["batch_size"] for kind, values in record["kinds"].items()}
    assert sizes == {"weak": 15 * ranks, "strong": 30}
    for values in record["kinds"].values():
        seconds = values["seconds"]
        assert seconds["computing"] > 0
        assert (seconds["waiting"] > 0) == (seconds["latency"] > 1e-4) == (ranks > 1)
        assert values["bytes"] > 8 * 16 * 16, "the gradient in float64"


def test_more_ranks_than_cores_say_so(experiment: Callable[..., Any], scripts: Path) -> None:

    ranks = len(os.sched_getaffinity(0)) + 1
    if ranks > 15:
        pytest.skip("too many cores for a toy")
    assert measure(experiment(), scripts, ranks)["oversubscribed"]
