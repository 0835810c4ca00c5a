"""How a job of the PBS stand-in goes from queued (Q) or held (H) to running (R) to finished (F)."""

import os
import signal
import time
from pathlib import Path

from stand_in import state
from stand_in.state import Job

KILLED_AT_WALLTIME = -29
SUPERVISOR_DIED = -4


def start(job: Job, when: float, session: int | None = None, slot: int = 0) -> None:
    """Let a queued job run on the first of its nodes."""
    nodes = job["nodes"][: job["chunks"]]
    vnodes = "+".join(f"({node}:ncpus={job['ncpus']})" for node in nodes)
    began = time.strftime("%a %b %d at %H:%M", time.localtime(when))
    job |= {"state": "R", "substate": 42, "stime": when, "mtime": when, "session": session}
    job |= {"exec_host": "+".join(f"{node}/{slot}" for node in nodes), "exec_vnode": vnodes}
    job["comment"] = f"Job run at {began} on {vnodes}"


def finish(job: Job, when: float, exit_status: int) -> None:
    """Record the end of a running job."""
    if job.get("deleted_by"):
        substate, ending = 91, f"terminated by {job['deleted_by']}"
    elif exit_status == KILLED_AT_WALLTIME:
        substate, ending = 93, "exceeded resource walltime"
    else:
        substate, ending = (93, "failed") if exit_status else (92, "finished")
    job |= {"state": "F", "substate": substate, "exit_status": exit_status}
    job |= {"obittime": when, "mtime": when, "history": when}
    job["comment"] += f" and {ending}"


def cancel(job: Job, when: float) -> None:
    """Record the end of a job that never ran."""
    job |= {"state": "F", "substate": 91, "mtime": when, "history": when}


def signal_session(session: int, number: int) -> bool:
    """Send a signal to all processes of a session; tell whether there was one."""
    found = False
    for stat in Path("/proc").glob("[0-9]*/stat"):
        try:
            process_state, _, _, member_of = stat.read_text().rpartition(")")[2].split()[:4]
            if int(member_of) == session and process_state != "Z":
                os.kill(int(stat.parent.name), number)
                found = True
        except (FileNotFoundError, ProcessLookupError):
            continue
    return found


def look(job: Job) -> Job:
    """Return the job as the server sees it now."""
    if job["state"] not in "QR":
        return job
    if "simulated" in job:
        return simulate(job)
    if job["supervised"] and not state.is_alive(job["number"]):
        return abandon(job["number"])
    return job


def simulate(job: Job) -> Job:
    """Return what the clock says about a job without a process; nothing is written."""
    begin = job["ctime"] + job["delay"]
    end = begin + job["simulated"]
    if time.time() >= begin:
        start(job, begin)
    if time.time() >= end:
        finish(job, end, exit_status=0)
    return job


def abandon(number: int) -> Job:
    """Finish a job whose supervisor died."""
    with state.locked():
        job = state.read(number)
        assert job is not None
        if job["state"] == "R":
            signal_session(job["session"], signal.SIGKILL)
            finish(job, time.time(), SUPERVISOR_DIED)
        elif job["state"] == "Q":
            cancel(job, time.time())
        state.write(job)
    return job
