"""The dialect of Grid Engine: Son of Grid Engine, Univa, Altair.

`qsub -terse` prints the id alone. `qstat -xml -u USER` answers for all jobs that are not finished;
a finished one is known to `qacct -j ID` only, some seconds after its end.
"""

import os
import pwd
import re
import xml.etree.ElementTree as ElementTree
from collections.abc import Callable, Sequence

from .commands import Answer
from .status import AT_WALLTIME, DELETED, State, Status

NAME = "Grid Engine"
PROGRAMS = ("qsub", "qstat", "qdel")
JOB_ID_IN_JOB = "$JOB_ID"
# ABCI writes the host names alone; elsewhere they are the first words of PE_HOSTFILE.
HOSTFILE = "${SGE_JOB_HOSTLIST:-$PE_HOSTFILE}"

JOB_ID = re.compile(r"^(?:Your job (\d+) .*|(\d+)\s*)$", re.MULTILINE)
ACCOUNTED = re.compile(r"^(\w+) +(.*?) *$", re.MULTILINE)
ENFORCED, SIGNALLED = "37", "100"  # values of `failed`


def job_id(answer: Answer) -> str | None:
    """The id in what qsub printed, with -terse or without."""
    found = JOB_ID.search(answer.stdout)
    return found[1] or found[2] if answer.exit_code == 0 and found else None


def query(job_ids: Sequence[str], ask: Callable[[Sequence[str]], Answer]) -> dict[str, Status]:
    """Ask for all jobs at once.

    Returns:
        A status for every job; an empty mapping where there was no answer, from which nothing
        follows.
    """
    listed = parse(ask(["qstat", "-xml", "-u", user()]))
    if listed is None:
        return {}
    found = {name: listed.get(name, Status(State.UNLISTED)) for name in job_ids}
    for name, status in found.items():
        if status.state is State.STUCK and not status.words:
            found[name] = Status(State.STUCK, why_stuck(name, ask))
    return found


def user() -> str:
    """Who submits; not $USER, which may be another's."""
    return pwd.getpwuid(os.geteuid()).pw_name


def parse(answer: Answer) -> dict[str, Status] | None:
    """Read an answer of `qstat -xml`; None where it is no whole answer."""
    if answer.exit_code:
        return None
    try:
        root = ElementTree.fromstring(answer.stdout)
    except ElementTree.ParseError:
        return None
    if root.tag != "job_info":
        return None
    jobs = ((job.findtext("JB_job_number"), job.findtext("state")) for job in root.iter("job_list"))
    return {name: status_of(state) for name, state in jobs if name and state}


def status_of(letters: str) -> Status:
    """The status behind letters such as r, qw, hqw, Eqw, dr."""
    if "E" in letters:
        return Status(State.STUCK)
    if "d" in letters:
        return Status(State.STUCK, f"being deleted ({letters})")
    if "h" in letters and "r" not in letters:
        return Status(State.STUCK, f"on hold ({letters})")
    if "w" in letters:
        return Status(State.WAITING)
    suspended = any(letter in letters for letter in "sST")
    return Status(State.RUNNING, f"suspended ({letters})" if suspended else "")


def why_stuck(job_id: str, ask: Callable[[Sequence[str]], Answer]) -> str:
    """What the scheduler says of a job in an error state."""
    reasons = re.findall(r"^error reason.*?: +(.*)$", ask(["qstat", "-j", job_id]).stdout, re.M)
    return "; ".join(dict.fromkeys(reasons)) or "in an error state"


def explain(job_id: str, ask: Callable[[Sequence[str]], Answer]) -> Status:
    """What the accounting says of a job that is no longer listed."""
    answer = ask(["qacct", "-j", job_id])
    if answer.exit_code:
        return Status(State.UNLISTED)
    return accounted(dict(ACCOUNTED.findall(answer.stdout)))


def accounted(entry: dict[str, str]) -> Status:
    """The status of a finished job from its entry of qacct.

    Son of Grid Engine does not tell a qdel from another kill; Univa names who deleted a job.
    """
    failed, told = entry.get("failed", "0"), entry.get("exit_status", "")
    number = re.match(r"\d+", failed)
    code = int(found[0]) if (found := re.match(r"\d+", told)) else None
    if number and number[0] == ENFORCED and used_up(entry):
        reason = AT_WALLTIME
    elif entry.get("deleted_by", "NONE") not in ("NONE", ""):
        reason = DELETED
    elif number and number[0] == SIGNALLED:
        reason = "killed from outside: by qdel, for want of memory, or with its node"
    elif number and number[0] != "0":
        reason = "Grid Engine could not run it"
    else:
        reason = ""
    return Status(State.ENDED, f"failed {failed}, exit_status {told}", reason, code)


def used_up(entry: dict[str, str]) -> bool:
    """Whether the job ran as long as it may; what was enforced may have been its memory."""
    limit = re.search(r"\bh_rt=(\d+)", entry.get("category", ""))
    used = re.match(r"\d+", entry.get("ru_wallclock", "") or entry.get("wallclock", ""))
    return not (limit and used) or int(used[0]) >= int(limit[1])
