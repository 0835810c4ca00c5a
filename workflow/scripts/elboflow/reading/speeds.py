"""Read how fast trainings and evaluations were, as ranks/speed.py writes it."""

from collections.abc import Sequence
from itertools import pairwise
from pathlib import Path
from typing import Any

from elboflow.reading.json_files import (
    Expected,
    is_integer,
    is_number,
    is_text,
    is_texts,
    or_null,
    read_json,
)


def is_over_time(value: Any) -> bool:
    """Pairs of seconds, which rise, and images."""
    if not isinstance(value, list) or not all(map(is_pair, value)):
        return False
    return all(before < after for (before, _), (after, _) in pairwise(value))


def is_pair(value: Any) -> bool:
    return isinstance(value, list) and len(value) == 2 and all(map(is_number, value))


SPEED: Expected = {
    **dict.fromkeys(("run", "device"), is_text),
    **dict.fromkeys(("seed", "ranks", "threads_per_rank"), is_integer),
    **dict.fromkeys(("images_per_second", "seconds", "job_seconds"), or_null(is_number)),
    "hosts": is_texts,
}
TRAINING_SPEED: Expected = {**SPEED, "over_time": is_over_time}


def read_speeds(paths: Sequence[str | Path], expected: Expected = SPEED) -> list[dict[str, Any]]:
    """What every job took, sorted by run and seed."""
    speeds = [read_json(path, expected) for path in paths]
    return sorted(speeds, key=lambda speed: (speed["run"], speed["seed"]))
