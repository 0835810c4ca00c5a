"""Whose job an answer of the scheduler speaks of: numbers wrap, and begin anew after a repair.

An entry is of our job if it shows our owner and the job name that no two submissions share, and no
other time of submission. What is not shown is no proof: where a site cuts names off, masks them or
gives its own, the time of submission must be ours. An entry that shows our job name under another
owner or time (mapped users, another time zone) says nothing: it is no other job's.
"""

import contextlib
import functools
import os
import pwd
import re
import time
from collections.abc import Callable, Iterable, Mapping, Sequence
from datetime import datetime
from itertools import pairwise

from .record import Record
from .status import Shown, State, Status

# Seconds: clocks may differ by ten minutes, and by an hour more in the night when summer time ends.
SKEW = 4200.0
SHORTEST = 8  # characters of a name that was cut off; what is shorter is another name
FORMATS = ("%a %b %d %H:%M:%S %Y", "%m/%d/%Y %H:%M:%S")
FAR, MANY = 100_000, 50  # characters and ids, from the end of what qsub printed
FIRST_SCRIPT = "job.sh"  # of the first version's jobs, whose submit line may have given no name
EARLIEST = 1e8  # seconds since 1970: a time before 1973 stands for none


@functools.cache
def me() -> str:
    """Who submits; not $USER, which may be another's. Asked once: LDAP has bad moments."""
    try:
        return pwd.getpwuid(os.geteuid()).pw_name
    except KeyError:  # in a container, perhaps
        return str(os.geteuid())


def name_of(words: Sequence[str], token: str) -> str:
    """The name that a submit line gives to a job; where it gives none it is that of its script."""
    if not any(token in word and "/" not in word for word in words):
        for word, following in pairwise(words):
            if word.startswith("-N"):
                return word[2:] or following
    return token


def ours(records: Iterable[Record], found: Mapping[str, Status]) -> dict[str, Status]:
    """What the scheduler says of these jobs, by id; an entry of another job says nothing of ours.

    Args:
        found: what it says of their numbers.
    """
    statuses: dict[str, Status] = {}
    for record in records:
        if (
            record.job_id
            and (status := found.get(record.job_id))
            and not contradicts(record, status)
        ):
            before = statuses.get(record.job_id)  # an old record may bear the same number
            if before is None or before.is_anothers:
                statuses[record.job_id] = claim(record, status)
    return statuses


def candidates(pattern: re.Pattern[str], text: str) -> list[str]:
    """The last things in a text that may be ids."""
    return list(dict.fromkeys(pattern.findall(text[-FAR:])))[-MANY:]


def find(record: Record, job_ids: Iterable[str], listed: Mapping[str, Status]) -> list[str]:
    """Under which of these ids, or by its name under which other, a job is listed."""
    numbers = {job_id.partition(".")[0] for job_id in job_ids}
    return [
        name
        for name, status in listed.items()
        if status.shown and not difference(record, status.shown)
        if name.partition(".")[0] in numbers or record.token in status.shown.name
    ]


def contradicts(record: Record, status: Status) -> bool:
    """Whether it shows the name of this one submission, and that it is not this one."""
    return bool(
        status.shown and record.token in status.shown.name and difference(record, status.shown)
    )


def claim(record: Record, status: Status) -> Status:
    """A status if it is of this job; else that this job is not listed, and what is in its place."""
    if status.shown is None or not (other := difference(record, status.shown)):
        return status
    return Status(State.UNLISTED, f"its number is another job's: {other}", shown=status.shown)


def difference(record: Record, shown: Shown) -> str:
    """What makes an entry another's, in words; empty where it is of this job."""
    owner = record.owner or me()
    if shown.owner != owner:
        return f"owner {shown.owner or 'not shown'}, not {owner}"
    named = has_name(record, shown.name)
    if named is False:
        return f"name {shown.name}, not {record.name}"
    timely = has_time(record, shown)
    if timely is False:
        return f"submitted {date(shown.submitted)}, not {date(record.since)}"
    return "" if named or timely else f"name {shown.name or 'not shown'}, at a time not shown"


def has_name(record: Record, shown: str) -> bool | None:
    """Whether it is the job's name; None where it may be: masked, or cut off."""
    cut = shown.rstrip("*")
    if not record.name or not cut:
        return None
    if record.token in shown or record.name == shown:
        return True
    if record.since is None and shown == FIRST_SCRIPT:
        return True
    return None if len(cut) >= SHORTEST and record.name.startswith(cut) else False


def has_time(record: Record, shown: Shown) -> bool | None:
    """Whether the job was submitted then; None where the time may be that of a later start."""
    at = shown.submitted
    if at is None or record.since is None:
        return None
    if at < record.since - SKEW:
        return False
    if not shown.is_fixed:
        return None
    return record.until is None or at <= record.until + SKEW


def date(at: float | None) -> str:
    return time.strftime("%Y-%m-%d %H:%M:%S", time.localtime(at or 0))


def moment(text: str | None) -> float | None:
    """Seconds since 1970 of a time as schedulers write it, by this machine's clock."""
    text = " ".join((text or "").split())
    if re.fullmatch(r"\d{9,13}", text):
        at = int(text) / (1000 if len(text) > 10 else 1)
        return at if at > EARLIEST else None
    for parse in (datetime.fromisoformat, *map(reader, FORMATS)):
        with contextlib.suppress(ValueError, OverflowError):
            at = parse(text).timestamp()
            return at if at > EARLIEST else None
    return None


def reader(layout: str) -> Callable[[str], datetime]:
    return lambda text: datetime.strptime(re.sub(r"\.\d+$", "", text), layout)
