"""What has become of each training so far, from files alone: also of jobs that run elsewhere."""

import math
import time
from collections import Counter
from pathlib import Path
from typing import Any, NamedTuple

from elboflow.pages.stages import Stage, Work
from elboflow.ranks.told import FILE, clock
from elboflow.reading.records import Begun, Records, read_json, tail
from elboflow.specification.yaml_readings import one_line

# Seconds without a sign after which nobody may be at work any more: of a stage that tells how far
# it is, and of one that does not.
SILENT, SILENT_BY_NATURE = 300.0, 1800.0
COLUMNS = ("run", "seed", "state", "done", "images/s", "left", "last")
STATES = ("failed", "stalled", "at work", "queued", "waiting", "done")  # most urgent first
MOST = 1e10  # of any number that a stage tells; seconds till the year 2286
SLACK = 5.0  # seconds by which files of results that were copied may be out of order
MOST_AT_REST = 10  # rows that wait, or that are done; others are only counted


class Told(NamedTuple):
    """What a stage tells of itself, in seconds, and in seconds since 1970."""

    share: float
    images_per_second: float
    seconds_left: float  # nan where it does not know
    time: float
    state: str


class Seen(NamedTuple):
    """A row of the table, without run and seed; `state` is one of STATES."""

    state: str
    words: str
    done: str = ""
    speed: str = ""
    left: str = ""
    last: str = ""


def told_by(folder: Path) -> Told | None:
    """What a stage has told of itself in a folder, if that makes sense."""
    found = read_json(folder / FILE)
    share, images_per_second, left, when = (number_in(found, name) for name in Told._fields[:-1])
    is_told = found.get("seconds_left", "") is not None
    if math.isnan(share + images_per_second + when) or (is_told and math.isnan(left)):
        return None
    state = one_line(str(found.get("state", "")), 60)
    return Told(min(share, 1.0), images_per_second, left, when, state)


def is_done(stage: Stage, begun: Begun | None) -> bool:
    """Whether its output is there, of the inputs that are there, and is not being made again."""
    made = written(stage.output)
    again = begun is not None and begun.since > made
    renewed = any(written(path) > made + SLACK for path in stage.inputs)
    return stage.output.is_file() and not again and not renewed


def number_in(found: dict[str, Any], name: str) -> float:
    """A number that a stage tells; NaN where it makes no sense."""
    value = found.get(name)
    if isinstance(value, bool) or not isinstance(value, int | float) or not 0 <= value < MOST:
        return math.nan
    return float(value)


def look(stage: Stage, records: Records, now: float) -> Seen:
    """What can be seen of a stage."""
    begun = records.begun(stage.rule, stage.wildcards, stage.output)
    if is_done(stage, begun):
        return Seen("done", "done")
    told = told_by(stage.told) if stage.told else None
    failed = records.failed_at(stage.output) or -math.inf
    since = begun.since if begun else -math.inf
    heard = max(since, written(stage.log), told.time if told else -math.inf)
    # What an earlier job has told is how far the next one goes on from.
    kept = {"done": f"{told.share:.0%}", "last": told.state} if told and told.share < 1 else {}
    if begun and begun.job_id and heard <= since:
        return Seen("queued", f"queued ({begun.job_id}) for {stage.noun}", **kept)
    patience = SILENT if stage.told else SILENT_BY_NATURE
    if begun and now - heard < patience and heard > failed:
        if told is None or told.time < since:
            return Seen("at work", stage.doing)
        speed = f"{told.images_per_second:,.0f}"
        left = "" if math.isnan(told.seconds_left) else clock(told.seconds_left)
        return Seen("at work", stage.doing, f"{told.share:.0%}", speed, left, told.state)
    if failed > since:
        kept["last"] = error_in(stage.log) or kept.get("last", "")
        return Seen("failed", f"failed in {stage.noun}, see {stage.log}", **kept)
    if begun:
        silence = f"no sign for {(now - heard) / 60:.0f} min, see {stage.log}"
        return Seen("stalled", f"stalled in {stage.noun}: {silence}", **kept)
    return Seen("waiting", f"waiting for {stage.noun}", **kept)


def written(path: Path) -> float:
    """When a file was written last."""
    try:
        return path.stat().st_mtime
    except OSError:
        return -math.inf


def error_in(log: Path) -> str:
    """The last line of a log that says what is wrong."""
    errors = [line for line in tail(log).splitlines() if line.startswith("error: ")]
    return one_line(errors[-1], 120) if errors else ""


def look_at(work: Work, records: Records, now: float) -> Seen:
    """The stage of a row that needs most attention, if not all are done; of several the first."""
    first, *others = (look(stage, records, now) for stage in work.stages)
    if first.state != "done":
        return first
    return min([*others, first], key=lambda seen: STATES.index(seen.state))


def table(preparations: list[Work], trainings: list[Work], records: Records, whole: bool) -> str:
    """All rows that matter now as text, most urgent first, and how many there are of each state.

    Args:
        whole: whether to show all rows that wait or are done, however many.
    """
    now = time.time()
    pending = [(work, look_at(work, records, now)) for work in preparations]
    rows = [(work, seen) for work, seen in pending if seen.state != "done"]
    found = [(work, look_at(work, records, now)) for work in trainings]
    counts = Counter(seen.state for _, seen in found)
    for state in STATES:
        some = [(work, seen) for work, seen in found if seen.state == state]
        folded = state in ("waiting", "done") and not whole
        rows += some[:MOST_AT_REST] if folded else some
    said = ", ".join(f"{counts[state]} {state}" for state in STATES if counts[state])
    hidden = len(found) + sum(seen.state != "done" for _, seen in pending) - len(rows)
    more = f"; {hidden} not shown: make status ALL=1" if hidden else ""
    return f"{aligned(rows)}\n\n{len(found)} trainings: {said}{more}"


def aligned(rows: list[tuple[Work, Seen]]) -> str:
    """Rows under their headings."""
    cells = [COLUMNS, *((work.run, work.seed, *seen[1:]) for work, seen in rows)]
    widths = [max(map(len, column)) for column in zip(*cells, strict=True)]
    lines = ("  ".join(map(str.ljust, row, widths)).rstrip() for row in cells)
    return "\n".join(lines)
