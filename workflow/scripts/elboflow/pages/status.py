"""What has become of each training so far, from files alone: also of jobs that run elsewhere."""

import json
import time
from pathlib import Path
from typing import Any, NamedTuple

from elboflow.ranks.told import FILE, SECONDS_BETWEEN, clock

SILENT = 6 * SECONDS_BETWEEN  # after which nobody may be at work any more
COLUMNS = ("run", "seed", "state", "done", "images/s", "left", "last")


class Seen(NamedTuple):
    """A row of the table."""

    state: str
    done: str = ""
    speed: str = ""
    left: str = ""
    last: str = ""


def look(experiment: Path, states: Path, run: str, seed: int) -> Seen:
    """What can be seen of one training and its evaluation."""
    made = experiment / "runs" / run / f"seed{seed}"
    state = states / run / f"seed{seed}"
    if (made / "summary.csv").is_file():
        return Seen("evaluated")
    if (made / "model.safetensors").is_file():
        return _at_work("evaluating", state / "evaluate") or Seen("trained")
    return _at_work("training", state) or Seen("waiting")


def _at_work(doing: str, states: Path) -> Seen | None:
    """What a stage tells of itself in the folder of its states, if it tells anything."""
    try:
        told = json.loads((states / FILE).read_bytes())
        age = time.time() - told["time"]
        row = Seen(
            doing,
            f"{told['share']:.0%}",
            f"{told['images_per_second']:,.0f}",
            clock(told["seconds_left"]),
            str(told["state"]),
        )
    except (OSError, ValueError, KeyError, TypeError):
        return None
    if told["share"] < 1 and age > SILENT:
        return row._replace(state=f"{doing}? not heard of for {clock(age)}", speed="", left="")
    return row


def table(experiment: Path, states: Path, runs: dict[str, dict[str, Any]]) -> str:
    """Of all runs and their seeds, as text."""
    rows = [COLUMNS] + [
        (run, str(seed), *look(experiment, states, run, seed))
        for run, values in runs.items()
        for seed in values["seeds"]
    ]
    widths = [max(len(row[column]) for row in rows) for column in range(len(COLUMNS))]
    lines = ("  ".join(map(str.ljust, row, widths)).rstrip() for row in rows)
    return "\n".join(lines)
