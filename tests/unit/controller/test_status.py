"""What `make status` sees of trainings, from files alone."""

import json
import subprocess
import sys
import time
from pathlib import Path

import pytest

from elboflow.pages.status import Seen, look, table

TOLD = {"share": 0.54, "images_per_second": 5012.3, "seconds_left": 75.0, "state": "epoch 12"}


def tell(results: Path, folder: str = ".", **changes: object) -> Path:
    state = results / "state" / "a" / "seed1" / folder
    state.mkdir(parents=True, exist_ok=True)
    path = state / ".progress"
    path.write_text(json.dumps({**TOLD, "time": time.time(), **changes}))
    return path


def make(results: Path, *names: str) -> None:
    folder = results / "runs" / "a" / "seed1"
    folder.mkdir(parents=True, exist_ok=True)
    for name in names:
        (folder / name).write_text("made")


def seen(results: Path) -> Seen:
    return look(results, results / "state", "a", 1)


def test_of_nothing_there_is_only_waiting(tmp_path):
    assert seen(tmp_path).state == "waiting"


def test_a_training_tells_how_far_it_is(tmp_path):
    tell(tmp_path)
    assert seen(tmp_path) == ("training", "54%", "5,012", "1:15", "epoch 12")


def test_a_training_that_is_silent_for_long_may_be_dead(tmp_path):
    tell(tmp_path, time=time.time() - 300)
    row = seen(tmp_path)
    assert row.state == "training? not heard of for 5:00"
    assert not row.speed


def test_later_stages_are_told_before_earlier_ones(tmp_path):
    tell(tmp_path)
    make(tmp_path, "model.safetensors")
    assert seen(tmp_path).state == "trained"
    tell(tmp_path, "evaluate", share=0.2)
    assert seen(tmp_path)[:2] == ("evaluating", "20%")
    make(tmp_path, "summary.csv")
    assert seen(tmp_path).state == "evaluated"


@pytest.mark.parametrize("content", ["", "{", "[]", '{"share": 1}', '{"share": "x", "time": 1}'])
def test_a_file_that_says_nothing_is_no_error(tmp_path, content):
    tell(tmp_path).write_text(content)
    assert seen(tmp_path).state == "waiting"


def test_the_table_has_a_row_for_each_seed(tmp_path):
    tell(tmp_path)
    lines = table(tmp_path, tmp_path / "state", {"a": {"seeds": [1, 2]}}).splitlines()
    assert [line.split()[:3] for line in lines[1:]] == [
        ["a", "1", "training"],
        ["a", "2", "waiting"],
    ]


def test_a_configuration_that_is_missing_is_told_in_one_line(tmp_path):
    door = Path(sys.modules["elboflow"].__file__).parents[1] / "status.py"
    done = subprocess.run(
        [sys.executable, door, tmp_path / "none.yaml"], capture_output=True, text=True, check=False
    )
    assert done.returncode == 1
    assert done.stderr.startswith("error: config: ") and len(done.stderr.splitlines()) == 1
