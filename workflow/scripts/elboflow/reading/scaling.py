"""How training scales over ranks: a table of what was measured, carried on by a model of a step."""

from collections.abc import Iterator, Sequence
from dataclasses import asdict
from pathlib import Path
from typing import Any

import pandas as pd

from elboflow.reading.columns import Columns
from elboflow.reading.json_files import (
    Expected,
    is_integer,
    is_number,
    is_text,
    is_texts,
    read_json,
)
from elboflow.reading.step_model import Measured, NoModel, StepModel, fit, largest_error

KINDS = ("weak", "strong")
BEYOND = (16, 128, 1024)  # ranks that the model is asked for
PARTS = ("step", "computing", "waiting", "adding")
SCALING = Columns(
    text=("kind", "source"),
    integers=("ranks", "hosts", "batch_size"),
    floats=("images_per_second", "efficiency", *(f"{part}_ms" for part in PARTS)),
    key=("kind", "ranks"),
)
SECONDS: Expected = dict.fromkeys((*PARTS, "latency"), is_number)
OF_KIND: Expected = {"batch_size": is_integer, "bytes": is_integer, "seconds": SECONDS}
RECORD: Expected = {
    **dict.fromkeys(("run", "device", "adds_with"), is_text),
    **dict.fromkeys(("ranks", "threads_per_rank"), is_integer),
    "hosts": is_texts,
    "oversubscribed": lambda value: isinstance(value, bool),
    "kinds": dict.fromkeys(KINDS, OF_KIND),
}
MODEL: Expected = {"run": is_text, "device": is_text, "adds_with": is_text}


def read_records(paths: Sequence[str | Path]) -> list[dict[str, Any]]:
    """What measure_scaling wrote, by number of ranks."""
    return sorted((read_json(path, RECORD) for path in paths), key=lambda each: each["ranks"])


def measured(record: dict[str, Any], kind: str) -> Measured:
    """Seconds of a step of one kind."""
    ranks, values = record["ranks"], record["kinds"][kind]
    place = (ranks, values["batch_size"] / ranks, len(record["hosts"]), record["oversubscribed"])
    return Measured(*place, **values["seconds"])


def fit_scaling(records: Sequence[dict[str, Any]]) -> tuple[pd.DataFrame, dict[str, Any]]:
    """The table, and model.json: constants and largest error, or why there is no model."""
    first = records[0]
    names = ("run", "device", "adds_with", "threads_per_rank")
    told = {name: first[name] for name in names}
    points = [measured(record, kind) for record in records for kind in KINDS]
    size = max(record["kinds"]["weak"]["bytes"] for record in records)
    rows = [row for kind in KINDS for row in measured_rows(records, kind)]
    try:
        model = fit(points, size)
    except NoModel as why_not:
        return _table(rows), {**told, "why_not": str(why_not)}
    for kind in KINDS:
        rows += modelled_rows(records, kind, model)
    error = largest_error(model, points)
    return _table(rows), {**told, "constants": asdict(model), "largest_error": error}


def measured_rows(records: Sequence[dict[str, Any]], kind: str) -> Iterator[dict[str, Any]]:
    for record in records:
        point = measured(record, kind)
        seconds = (point.step, point.computing, point.waiting, point.adding)
        source = "oversubscribed" if point.oversubscribed else "measured"
        yield _row(kind, source, point.ranks, point.hosts, point.images, seconds)


def modelled_rows(
    records: Sequence[dict[str, Any]], kind: str, model: StepModel
) -> Iterator[dict[str, Any]]:
    """More ranks than were measured, as many of them to a host; at least an image for each."""
    last = records[-1]
    per_host = last["ranks"] / len(last["hosts"])
    for ranks in BEYOND:
        size = last["kinds"][kind]["batch_size"]
        images = size / last["ranks"] if kind == "weak" else size / ranks
        if ranks > last["ranks"] and images >= 1:
            parts = (model.computing(images), model.waiting(ranks), model.adding(ranks))
            hosts = max(1, round(ranks / per_host))
            yield _row(kind, "model", ranks, hosts, images, (sum(parts), *parts))


def _row(
    kind: str, source: str, ranks: int, hosts: int, images: float, seconds: Sequence[float]
) -> dict[str, Any]:
    milliseconds = {f"{part}_ms": 1000 * value for part, value in zip(PARTS, seconds, strict=True)}
    batch = round(images * ranks)
    speed = {"batch_size": batch, "images_per_second": batch / seconds[0]}
    return {"kind": kind, "source": source, "ranks": ranks, "hosts": hosts, **speed, **milliseconds}


def _table(rows: Sequence[dict[str, Any]]) -> pd.DataFrame:
    """Sorted, with the speed of a rank as a share of that of one among the fewest ranks."""
    table = pd.DataFrame(rows).sort_values(["kind", "ranks"], ignore_index=True)
    speed = table["images_per_second"] / table["ranks"]
    table["efficiency"] = speed / speed.groupby(table["kind"]).transform("first")
    return table[list(SCALING.names)]
