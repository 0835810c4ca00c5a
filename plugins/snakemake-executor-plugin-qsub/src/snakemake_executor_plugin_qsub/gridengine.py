"""The dialect of Grid Engine: Son of Grid Engine, Univa, Altair.

`qsub -terse` prints the id alone. `qstat -xml -u USER` answers for all jobs that are not finished;
a finished one is known to `qacct -j ID` only, some seconds after its end.
"""

import re
import xml.etree.ElementTree as ElementTree
from collections.abc import Callable, Sequence
from dataclasses import replace

from . import whose
from .commands import Answer
from .record import Record
from .status import AT_WALLTIME, DELETED, Shown, State, Status

NAME = "Grid Engine"
LEAVES_HOSTS_OUT = True  # whether a job can say so
PROGRAMS = ("qsub", "qstat", "qdel")
JOB_ID_IN_JOB = "$JOB_ID"
# Of a job that asked for a range of slots.
NODES_IN_JOB = "$((NSLOTS / {slots_per_node}))"
# ABCI writes the host names alone; elsewhere they are the first words of PE_HOSTFILE.
HOSTFILE = "${SGE_JOB_HOSTLIST:-$PE_HOSTFILE}"

JOB_ID = re.compile(r'(\d+)|Your job (\d+) \("[^"\n]*"\) has been submitted')
CANDIDATE = re.compile(r"(?<![\w.:/-])\d+(?![\w:/])")
ACCOUNTED = re.compile(r"^(\w+) +(.*?) *$", re.MULTILINE)
DETAIL = re.compile(r"^(\w+): +(.*?) *$", re.MULTILINE)
ENTRY = re.compile(r"^=+$", re.MULTILINE)
BARE = re.compile(r"&(?!(?:amp|lt|gt|quot|apos);)")  # and entities, none of which is followed
ROOT = re.compile(r"<(/?)job_info\b[^>]*?(/?)>")
UNLISTED = Status(State.UNLISTED)
ENFORCED, SIGNALLED = "37", "100"  # values of `failed`


def job_id(answer: Answer) -> str | None:
    """The id, where qsub printed it and nothing else, with -terse or without."""
    found = JOB_ID.fullmatch(answer.stdout.strip())
    return found[1] or found[2] if answer.exit_code == 0 and found else None


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
    answer = ask(["qstat", "-xml", "-u", record.owner or whose.me()])
    found = whose.find(record, job_ids, parse(answer))
    return found if found or is_whole(answer) else None


def query(records: Sequence[Record], ask: Callable[[Sequence[str]], Answer]) -> dict[str, Status]:
    """Ask for all jobs at once.

    Returns:
        A status for every job; where the answer is damaged, cut off or none, only for those that
        stand in it: from the absence of the others nothing follows.
    """
    owners = ",".join(sorted({record.owner or whose.me() for record in records}))
    answer = ask(["qstat", "-xml", "-u", owners])
    listed = parse(answer)
    if is_whole(answer):
        listed = {record.job_id or "": UNLISTED for record in records} | listed
    found = whose.ours(records, listed)
    for name, status in found.items():
        if status.state is State.STUCK and not status.words:
            record = next(each for each in records if each.job_id == name)
            found[name] = replace(status, words=why_stuck(record, ask))
    return found


def parse(answer: Answer) -> dict[str, Status]:
    """Read an answer of `qstat -xml`, job by job; those that cannot be read are left out."""
    jobs = [job for job in map(read, entries(answer)) if job is not None]
    return {
        job.findtext("JB_job_number", ""): replace(
            status_of(job.findtext("state", "")), shown=shown(job)
        )
        for job in jobs
    }


def entries(answer: Answer) -> list[str]:
    """The XML of each job. Of what stands around them, banners and DTDs, nothing is read."""
    return re.split(r"(?=<job_list\b)", answer.stdout)[1:]


def read(entry: str) -> ElementTree.Element | None:
    """A job's entry, if it is whole; names are not always written as XML wants them."""
    text, end, _ = entry.partition("</job_list>")
    try:
        job = ElementTree.fromstring(BARE.sub("&amp;", text + end))
    except ElementTree.ParseError:
        return None
    needed = {
        "JB_job_number": r"\d+",
        "state": "[A-Za-z]*[EdhrtwsST][A-Za-z]*",
        "JB_owner": r"[^\ufffd]+",
    }
    whole = all(re.fullmatch(form, job.findtext(name) or "") for name, form in needed.items())
    return job if whole and "\ufffd" not in job.findtext("JB_name", "") else None


def is_whole(answer: Answer) -> bool:
    """Whether a job that does not stand in the answer is not there."""
    if answer.exit_code or any(read(entry) is None for entry in entries(answer)):
        return False
    tags = ROOT.findall(answer.stdout)
    opened = sum(not end and not empty for end, empty in tags)
    return bool(tags) and opened == sum(bool(end) for end, _ in tags)


def shown(job: ElementTree.Element) -> Shown:
    """Whose job it is. A job that is started over counts as submitted anew."""
    at = job.findtext("JB_submission_time") or job.findtext("JAT_start_time")
    owner, name = job.findtext("JB_owner", ""), job.findtext("JB_name", "")
    return Shown(owner, name, whose.moment(at))


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


def why_stuck(record: Record, ask: Callable[[Sequence[str]], Answer]) -> str:
    """What the scheduler says of a job in an error state."""
    said = ask(["qstat", "-j", record.job_id or ""]).stdout
    entry = dict(DETAIL.findall(said))
    submitted = whose.moment(entry.get("submission_time"))
    job = Shown(entry.get("owner", ""), entry.get("job_name", ""), submitted)
    reasons = re.findall(r"^error reason.*?: +(.*)$", said, re.M)
    if whose.difference(record, job) or not reasons:
        return "in an error state"
    return "; ".join(dict.fromkeys(reasons))


def explain(record: Record, ask: Callable[[Sequence[str]], Answer]) -> Status:
    """What the accounting says of a job that is no longer listed.

    It keeps all jobs that ever had the number, and several entries of one that was started over.
    """
    answer = ask(["qacct", "-j", record.job_id or ""])
    whole_lines = answer.stdout.rpartition("\n")[0]
    status = UNLISTED
    for text in [] if answer.exit_code else ENTRY.split(whole_lines):
        entry = dict(ACCOUNTED.findall(text))
        if not all(entry.get(name, "")[:1].isdigit() for name in ("failed", "exit_status")):
            continue  # cut off, or a banner
        submitted = whose.moment(entry.get("qsub_time"))
        whose_entry = Shown(entry.get("owner", ""), entry.get("jobname", ""), submitted)
        claimed = whose.claim(record, replace(accounted(entry), shown=whose_entry))
        if not claimed.is_anothers or status.state is State.UNLISTED:
            status = claimed
    return status


def accounted(entry: dict[str, str]) -> Status:
    """The status of a finished job from its entry of qacct.

    Son of Grid Engine does not tell a qdel from another kill; Univa names who deleted a job.
    """
    failed, told = entry.get("failed", "0"), " ".join(entry.get("exit_status", "").split())
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
