"""What is kept of one submission."""

import re
from dataclasses import dataclass, fields
from typing import Any

JOB_ID = re.compile(r"(\d+(?:\[\d*\])?(?:\.[\w.-]+)?)\n", re.ASCII)
MOST = 1e10  # seconds, and jobs' numbers: till the year 2286


@dataclass(frozen=True)
class Record:
    """One submission.

    Args:
        key: rule and wildcards.
        digest: of what the job was made from: a job of another digest is not taken over.
        job_id: the scheduler's; None until qsub has told it.
        walltimes: how many walltimes the Snakemake job has begun, this one included.
        least: how many nodes it is given at least; as many as `nodes` where that is 0.
        withdrawn: it was to be deleted; until it is gone it may still write and remove files.
        owner, name: under which the scheduler shows it.
        since, until: seconds since 1970; it was submitted in between.
        queue, share: where it is, and what of each of its nodes it is charged.
        pack: token of the scheduler's job that it shares with others, whose queue and share these
            are; of such a job, its own.
    """

    token: str
    key: str
    digest: str
    log: str
    seconds: int
    nodes: int = 1
    tasks_per_node: int = 1
    walltimes: int = 1
    job_id: str | None = None
    withdrawn: bool = False
    owner: str = ""
    name: str = ""
    since: float | int | None = None
    until: float | int | None = None
    queue: str = ""
    share: float | int = 1.0
    pack: str = ""
    least: int = 0


def is_whole(record: Record) -> bool:
    """Whether its values are such as we write; an id of other letters may be an option of qdel."""
    values: list[tuple[object, Any]]
    values = [(getattr(record, each.name), each.type) for each in fields(Record)]
    numbers = [value for value, _ in values if isinstance(value, int | float)]
    return (
        all(isinstance(value, form) for value, form in values)
        and all(0 <= number < MOST for number in numbers)  # nor NaN
        and (record.job_id is None or JOB_ID.fullmatch(f"{record.job_id}\n") is not None)
    )
