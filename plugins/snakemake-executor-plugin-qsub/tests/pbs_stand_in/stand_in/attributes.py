"""What qstat -f of the PBS stand-in says about a job, in the order and with the folding of PBS."""

import time
from typing import Any

from stand_in.state import Job

LINE = 78  # characters
TAB = 8
# A job that ended earlier than this [s] is not yet known by its session, as the captures show.
SESSION_KNOWN_AFTER = 3


def fold(name: str, value: str) -> str:
    """Return `    name = value`, folded behind a tab as qstat -f does.

    Items between commas stay whole where they fit; a longer one starts on a line of its own,
    unless it is the first, and is cut where the line is full. Commas take no room.
    """
    text, column = f"    {name} = ", len(name) + 7
    for index, item in enumerate(filter(None, value.split(","))):
        if index:
            text += ","
        if column + len(item) < LINE:
            text, column = text + item, column + len(item)
            continue
        if index:
            text, column = text + "\n\t", TAB + 1
        while len(item) > LINE - column:
            room = LINE - column + 1
            text, item, column = text + item[:room] + "\n\t", item[room:], TAB
        text, column = text + item, column + len(item)
    return text


def clock(seconds: float) -> str:
    """Return HH:MM:SS."""
    minutes, seconds = divmod(int(seconds), 60)
    return f"{minutes // 60:02d}:{minutes % 60:02d}:{seconds:02d}"


def variable_list(job: Job) -> str:
    """Return the variables as one text, commas and backslashes in values escaped."""
    escaped = {
        name: value.replace("\\", "\\\\").replace(",", "\\,")
        for name, value in job["variables"].items()
    }
    return ",".join(f"{name}={value}" for name, value in escaped.items())


def ran_for(job: Job) -> float:
    return job.get("obittime", time.time()) - job["stime"]


def used(job: Job) -> dict[str, Any]:
    if "stime" not in job:
        return {}
    resources = {
        "cpupercent": 0,
        "cput": clock(job.get("cput", 0)),
        "mem": f"{job.get('memory', 0)}kb",
        "ncpus": job["chunks"] * job["ncpus"],
        "vmem": f"{job.get('memory', 0)}kb",
        "walltime": clock(ran_for(job)),
    }
    return {f"resources_used.{name}": value for name, value in resources.items()}


def requested(job: Job) -> dict[str, Any]:
    resources = {
        "mpiprocs": job["mpiprocs"] and job["chunks"] * job["mpiprocs"],
        "ncpus": job["chunks"] * job["ncpus"],
        "nodect": job["chunks"],
        "place": "scatter",
        "select": job["select"],
        "walltime": clock(job["walltime"]),
    }
    return {f"Resource_List.{name}": value for name, value in resources.items()}


def date(job: Job, key: str) -> str | None:
    return time.ctime(job[key]) if key in job else None


def session(job: Job) -> int | None:
    """The session of a job that has run for long enough."""
    known = "stime" in job and (job["state"] == "R" or ran_for(job) >= SESSION_KNOWN_AFTER)
    return job["session"] if known else None


def attributes(job: Job) -> dict[str, Any]:
    """Return names and values; those without a value are left out."""
    ran = "stime" in job
    values = {
        **as_first_shown(job),
        **requested(job),
        "stime": date(job, "stime"),
        "obittime": date(job, "obittime"),
        "session_id": session(job),
        "jobdir": job["home"] if ran else None,
        "substate": job["substate"],
        "Variable_List": variable_list(job),
        "comment": job.get("comment"),
        "etime": None if job["hold"] == "u" else date(job, "ctime"),
        "run_count": 1 if ran else None,
        "Stageout_status": job.get("delivered", 1) if "obittime" in job else None,
        "Exit_status": job.get("exit_status"),
        "Submit_arguments": job["submit_arguments"],
        "history_timestamp": int(job["history"]) if "history" in job else None,
        "project": job["project"],
        "Submit_Host": job["server"],
    }
    return {name: value for name, value in values.items() if value is not None}


def as_first_shown(job: Job) -> dict[str, Any]:
    """Those before the resources."""
    return {
        "Job_Name": job["name"],
        "Job_Owner": job["owner"],
        **used(job),
        "job_state": job["state"],
        "queue": job["queue"],
        "server": job["server"],
        "Checkpoint": "u",
        "ctime": date(job, "ctime"),
        "Error_Path": job["error_path"],
        "exec_host": job.get("exec_host"),
        "exec_vnode": job.get("exec_vnode"),
        "Hold_Types": job["hold"],
        "Join_Path": job["join"],
        "Keep_Files": job["keep"],
        "Mail_Points": job["mail"],
        "mtime": date(job, "mtime"),
        "Output_Path": job["output_path"],
        "Priority": 0,
        "qtime": date(job, "ctime"),
        "Rerunable": "True",
    }
