"""What a cluster's jobs have used, from the account that the qsub executor keeps of them.

The file may be torn, of another version or gone: a row that cannot be read says nothing.
"""

import contextlib
import csv
import math
from collections.abc import Iterable, Mapping
from pathlib import Path
from typing import Any, NamedTuple

USED = Path(".snakemake/qsub/used.csv")


class Job(NamedTuple):
    """One job of the scheduler that has started and ended.

    Args:
        share: of a node, that each node is charged as; None where the account does not tell.
        asked, used: node-hours.
        efficiency: processor time by processors and time, 0 to 1; None where PBS did not tell.
        memory: the most, in GiB.
    """

    rule: str
    queue: str
    asked: float
    used: float
    share: float | None
    efficiency: float | None
    memory: float | None


def read_jobs(path: Path) -> list[Job]:
    """All jobs of the scheduler of which the account can be read."""
    jobs: dict[str | int, Job] = {}
    with contextlib.suppress(OSError, csv.Error):
        text = path.read_text(encoding="utf-8", errors="replace") if path.is_file() else ""
        for row in csv.DictReader(text.replace("\0", "").splitlines()):
            if job := _job(row):
                key = row.get("pack") or len(jobs)
                jobs[key] = _shared(jobs[key], job) if key in jobs else job
    return list(jobs.values())


def _shared(one: Job, other: Job) -> Job:
    """A job of the scheduler that several share: its node is held until the last has ended."""
    return one._replace(
        asked=max(one.asked, other.asked),
        used=max(one.used, other.used),
        efficiency=one.efficiency if other.efficiency is None else other.efficiency,
        memory=max(filter(None, (one.memory, other.memory)), default=None),
    )


def _job(row: Mapping[str, Any]) -> Job | None:
    names = ("nodes", "seconds_asked", "seconds_used")
    nodes, asked, used = (_number(row.get(name)) for name in names)
    words, queue = (row.get("title") or "").split(), row.get("queue") or ""
    if not nodes or asked is None or used is None or not words:
        return None
    rule = " ".join(words[: 2 if words[0] == "group" else 1])
    megabytes = _number(row.get("memory_mib"))
    return Job(
        rule,
        queue,
        nodes * asked / 3600,
        nodes * used / 3600,
        _number(row.get("share")),
        _number(row.get("efficiency")),
        None if megabytes is None else megabytes / 1024,
    )


def _number(text: Any) -> float | None:
    """A number that is not below 0."""
    try:
        number = float(text)
    except (TypeError, ValueError):
        return None
    return number if 0 <= number < math.inf else None


def summed(jobs: Iterable[Job]) -> list[dict[str, Any]]:
    """A row for each rule and queue, and of several one for all."""
    groups: dict[tuple[str, str], list[Job]] = {}
    for job in jobs:
        groups.setdefault((job.rule, job.queue), []).append(job)
    rows = [_row(rule, queue, groups[rule, queue]) for rule, queue in sorted(groups)]
    everything = [job for group in groups.values() for job in group]
    return [*rows, _row("all", "", everything)] if len(rows) > 1 else rows


def _row(rule: str, queue: str, jobs: list[Job]) -> dict[str, Any]:
    told = [job for job in jobs if job.efficiency is not None and job.used]
    weight = sum(job.used for job in told)
    return {
        "rule": rule,
        "queue": queue,
        "jobs": len(jobs),
        "asked": sum(job.asked for job in jobs),
        "used": sum(job.used for job in jobs),
        "charged": None
        if any(job.share is None for job in jobs)
        else sum((job.share or 0.0) * job.used for job in jobs),
        "efficiency": sum(job.used * (job.efficiency or 0.0) for job in told) / weight
        if weight
        else None,
        "memory": max((job.memory for job in jobs if job.memory is not None), default=None),
    }
