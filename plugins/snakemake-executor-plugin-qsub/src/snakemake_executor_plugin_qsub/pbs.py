"""The dialect of PBS Professional and OpenPBS.

`qsub` prints the id, `qstat -x -f IDS` answers for waiting, running and finished jobs alike. A
server that keeps no finished jobs refuses -x; without it they are unknown.
"""

import re
from collections.abc import Callable, Sequence
from dataclasses import replace

from . import pbs_nodes, whose
from .commands import Answer, chunks
from .record import Record
from .status import AT_WALLTIME, DELETED, Shown, State, Status, Used

NAME = "PBS"
LEAVES_HOSTS_OUT = False  # whether a job can say so
PROGRAMS = ("qsub", "qstat", "qdel")
JOB_ID_IN_JOB = "$PBS_JOBID"
NODES_IN_JOB = ""  # a job asks for one number of nodes
free_nodes = pbs_nodes.free_nodes
HOSTFILE = "$PBS_NODEFILE"  # each host as often as it has MPI processes

# Attributes lie behind four blanks; a tab goes on with the value of the line before.
ATTRIBUTE = re.compile(r"^ {4}([\w.]+) = (.*)$", re.MULTILINE)
JOB = re.compile(r"^Job Id: (\S+) *\n", re.MULTILINE)
NEEDED = {"job_state", "Job_Owner", "Job_Name"}
STATES, ENDED = set("BEFHMQRSTUWX"), set("FX")
UNKNOWN = re.compile(r"^(?:qstat: )?Unknown Job Id (\S+\.\S+|\S+(?=\s))", re.MULTILINE)
NO_HISTORY = re.compile(r"^(?:qstat: )?PBS is not configured to maintain job history", re.MULTILINE)
HISTORY = re.compile(r"^(?:qstat: )?\S+ Job has finished, use -x", re.MULTILINE)
JOB_ID = re.compile(r"\d+(\[\d*\])?\.[A-Za-z][\w.-]*")
CANDIDATE = re.compile(r"(?<![\w.:/-])\d+(?:\[\d*\])?(?:\.[A-Za-z][\w.-]*\w)?(?![\w:/])")

EXCEEDED = re.compile(r"\bexceeded resource (\w+)")  # in a comment
TERMINATED_BY = re.compile(r"\band terminated\b")
TIMES = ("cput", "walltime")
SIZE = re.compile(r"(\d{1,15})(b|kb|mb|gb|tb)")
MIB = {"b": 2**-20, "kb": 2**-10, "mb": 1.0, "gb": 2.0**10, "tb": 2.0**20}
KILLED_AT_WALLTIME = -29
# The first node was not heard of for too long, or another one; or a node's PBS had begun anew.
NODE_LOST = {-20, -14, -6, -5, -4}
TERMINATED = "91"  # a substate; a script that ends in good order exits with 1 then, not with 271


def job_id(answer: Answer) -> str | None:
    """The id, where qsub printed it and nothing else."""
    found = JOB_ID.fullmatch(answer.stdout.strip())
    return found[0] if answer.exit_code == 0 and found else None


def candidates(answer: Answer) -> list[str]:
    """What may be an id in other words of qsub."""
    return whose.candidates(CANDIDATE, answer.said)


def find(
    record: Record, job_ids: Sequence[str], ask: Callable[[Sequence[str]], Answer]
) -> list[str] | None:
    """The id under which a job is in the queue.

    Args:
        job_ids: those that it may be, if not another.

    Returns:
        An empty list where it is not; None where there was no answer.
    """
    found = whose.find(record, job_ids, parse(ask_for(job_ids, ask))) if job_ids else []
    if not found:
        answer = ask(["qstat", "-f"])
        listed = parse(answer)
        found = whose.find(record, job_ids, listed)
        entries = len(JOB.findall(answer.stdout))
        whole = len(listed) == entries > 0 or not answer.stdout.strip()
        if not found and (answer.exit_code or not whole):
            return None
    return found


def query(records: Sequence[Record], ask: Callable[[Sequence[str]], Answer]) -> dict[str, Status]:
    """Ask for all jobs at once.

    Returns:
        A status for each job that the answer speaks of; of the others nothing is known.
    """
    job_ids = list(dict.fromkeys(record.job_id for record in records if record.job_id))
    found: dict[str, Status] = {}
    for chunk in chunks(job_ids):
        found |= parse(ask_for(chunk, ask))
    # qsub and qstat may name the server differently: 1234.pbs1 and 1234.pbs1.site.
    by_number = {name.partition(".")[0]: status for name, status in found.items()}
    statuses = {name: found.get(name, by_number.get(name.partition(".")[0])) for name in job_ids}
    return whose.ours(records, {name: status for name, status in statuses.items() if status})


_history = True  # whether the server keeps finished jobs; it says so when it is asked


def ask_for(job_ids: Sequence[str], ask: Callable[[Sequence[str]], Answer]) -> Answer:
    """Ask for some jobs, with -x where the server takes it."""
    global _history
    answer = ask(["qstat", *(["-x"] if _history else []), "-f", *job_ids])
    if (NO_HISTORY if _history else HISTORY).search(f"{answer.stderr}\n{answer.stdout}"):
        _history = not _history
        answer = ask(["qstat", *(["-x"] if _history else []), "-f", *job_ids])
    return answer


def parse(answer: Answer) -> dict[str, Status]:
    """Read an answer of `qstat -x -f`; a job whose entry is damaged is left out."""
    unknown = UNKNOWN.findall(answer.stderr) + UNKNOWN.findall(
        answer.stdout
    )  # if a site joins them
    found = {name: Status(State.UNLISTED) for name in unknown}
    _, *parts = JOB.split(answer.stdout)
    for name, body in zip(parts[::2], parts[1::2], strict=True):
        attributes = attributes_of(body)
        if is_read(attributes):
            status = status_of(attributes)
            found[name] = replace(status, shown=shown(attributes), used=used(attributes))
    return found


def attributes_of(body: str) -> dict[str, str]:
    """The attributes of an entry, which an empty line ends.

    Of one that was cut off only those in whole lines count; none, if how its job ended came later.
    """
    text, end, rest = body.rpartition("\n\n")
    is_cut_off = not end or ATTRIBUTE.search(rest)
    if is_cut_off:
        text = body.rpartition("\n")[0]
    attributes = dict(ATTRIBUTE.findall(text.replace("\n\t", "")))
    is_open = attributes.get("job_state") in ENDED and "Exit_status" not in attributes
    return {} if is_cut_off and is_open else attributes


def is_read(attributes: dict[str, str]) -> bool:
    """Whether an entry says what became of which job; a U+FFFD stands for what was no text."""
    needed = [attributes.get(name, "") for name in NEEDED]
    status = attributes.get("Exit_status", "0")
    return (
        all(value and "\ufffd" not in value for value in needed)
        and attributes["job_state"] in STATES
        and re.fullmatch(r"-?\d+", status) is not None
    )


def shown(attributes: dict[str, str]) -> Shown:
    """Whose job it is."""
    owner = re.sub("@[^@]*$", "", attributes.get("Job_Owner", ""))  # names of a domain have an @
    submitted = whose.moment(attributes.get("ctime"))
    return Shown(owner, attributes.get("Job_Name", ""), submitted, is_fixed=True)


def used(attributes: dict[str, str]) -> Used:
    """What the job has used so far; nothing in its first moments."""
    told = {name: attributes.get(f"resources_used.{name}", "") for name in ("ncpus", "mem")}
    cput, walltime = (seconds(attributes.get(f"resources_used.{each}", "")) for each in TIMES)
    processors = int(told["ncpus"]) if re.fullmatch(r"\d{1,9}", told["ncpus"]) else 0
    size = SIZE.fullmatch(told["mem"])
    return Used(
        cput / (walltime * processors) if cput is not None and walltime and processors else None,
        int(size[1]) * MIB[size[2]] if size and int(size[1]) else None,
    )


def status_of(attributes: dict[str, str]) -> Status:
    """One job's status from its attributes."""
    state, words = attributes["job_state"], attributes.get("comment", "").strip()
    if state in ENDED:
        return ended(attributes, words)
    if state == "H":
        return Status(State.STUCK, words or f"on hold ({attributes.get('Hold_Types', '?')})")
    if state == "Q" and "Can Never Run" in words:
        return Status(State.STUCK, words)
    if state in ("Q", "W", "T", "M"):
        return Status(State.WAITING, words)
    return Status(State.RUNNING, words)


def ended(attributes: dict[str, str], words: str) -> Status:
    """The status of a finished job. One that was deleted before it started has no exit status."""
    text, substate = attributes.get("Exit_status"), attributes.get("substate")
    code = None if text is None else int(text)
    exceeded, is_told = EXCEEDED.search(words), TERMINATED_BY.search(words)
    if code == KILLED_AT_WALLTIME or (code and used_up(attributes)):
        reason = AT_WALLTIME
    elif code and exceeded:
        reason = f"killed over its limit of {exceeded[1]}"
    elif code is None or (code and (substate == TERMINATED or is_told)):
        reason = DELETED
    elif code in NODE_LOST:
        reason = "its node was lost"
    elif code < 0:
        has_run = "resources_used.walltime" in attributes
        reason = f"ended by PBS with status {code}" if has_run else "could not be started by PBS"
    else:
        reason = ""
    return Status(State.ENDED, words, reason, code)


def used_up(attributes: dict[str, str]) -> bool:
    """Whether the job ran for as long as it had asked for."""
    used = seconds(attributes.get("resources_used.walltime", ""))
    limit = seconds(attributes.get("Resource_List.walltime", ""))
    return used is not None and limit is not None and used >= limit


def seconds(walltime: str) -> int | None:
    """Seconds of [[HH:]MM:]SS."""
    if not re.fullmatch(r"\d+(:\d+){0,2}", walltime):
        return None
    total = 0
    for part in walltime.split(":"):
        total = total * 60 + int(part)
    return total


def explain(record: Record, ask: Callable[[Sequence[str]], Answer]) -> Status:
    """What is known of a job that PBS no longer lists: nothing, since -x lists finished ones."""
    why_not = "" if _history else "this PBS keeps no history of jobs, which would tell how it ended"
    return Status(State.UNLISTED, why_not)
