"""Speed over time: what is read, and what is drawn."""

import json
from pathlib import Path

import pytest

from elboflow.figures.speed import plot_speed, rates
from elboflow.reading.errors import InputError
from elboflow.reading.speeds import TRAINING_SPEED, read_speeds

SPEED = {
    "run": "alpha",
    "seed": 1,
    "ranks": 1,
    "threads_per_rank": 2,
    "hosts": ["here"],
    "device": "cpu",
    "images_per_second": 2500.0,
    "seconds": 2.0,
    "job_seconds": None,
    "over_time": [[0.0, 0], [0.5, 2000], [2.0, 5000]],
}


def test_rates_are_those_between_two_points() -> None:
    assert rates(SPEED["over_time"]) == ([0.25, 1.25], [4000.0, 2000.0])


@pytest.mark.parametrize(
    "over_time",
    [None, 5, [[0.0]], [[0.0, 0], [0.0, 10]], [[1.0, 0], [0.5, 10]], [["a", "b"]], [[0.0, 0, 0]]],
)
def test_what_is_no_path_over_time_is_refused(tmp_path: Path, over_time: object) -> None:
    path = tmp_path / "seed1.json"
    path.write_text(json.dumps({**SPEED, "over_time": over_time}))
    with pytest.raises(InputError, match="'over_time' cannot be"):
        read_speeds([path], TRAINING_SPEED)


def test_a_line_for_each_seed_of_the_first_runs_and_none_of_weights_that_were_given() -> None:
    runs = [f"run{place}" for place in range(8)]
    speeds = [{**SPEED, "run": run, "seed": seed} for run in runs for seed in (1, 2)]
    given = {**SPEED, "run": "given", "over_time": [[0.0, 0]]}
    (axes,) = plot_speed([*speeds, given]).axes
    assert sum(len(line.get_xdata()) == 2 for line in axes.lines) == 12
    assert axes.get_title(loc="left") == "6 of 8 runs, the first by name"
    assert not plot_speed([given]).axes
