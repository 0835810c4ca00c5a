"""qstat of the PBS stand-in: qstat [-x] [-f [-F json|dsv]] [ID...], qstat --version."""

import getopt
import json
import sys
import time
from typing import Any

from stand_in import lifecycle, state
from stand_in.attributes import attributes, clock, fold
from stand_in.state import Job, Refused

VERSION = "23.06.06"
HEADING = """\
Job id            Name             User              Time Use S Queue
----------------  ---------------- ----------------  -------- - -----
"""


def as_list(jobs: list[Job]) -> str:
    """Return a line per job."""
    lines = []
    for job in jobs:
        time_used = clock(job.get("cput", 0)) if "stime" in job else "0"
        user = job["owner"].partition("@")[0]
        names = f"{job['id']:<16.16}  {job['name']:<16.16} {user:<16.16}  "
        lines.append(f"{names}{time_used:>8} {job['state']} {job['queue']:<16.16}\n")
    return HEADING + "".join(lines) if lines else ""


def in_full(jobs: list[Job]) -> str:
    """Return a paragraph per job, long lines folded."""
    text = ""
    for job in jobs:
        lines = [fold(name, str(value)) for name, value in attributes(job).items()]
        text += "\n".join([f"Job Id: {job['id']}", *lines, "", ""])
    return text


def as_json(jobs: list[Job]) -> str:
    """Return one JSON object for all jobs."""
    answer: dict[str, Any] = {
        "timestamp": int(time.time()),
        "pbs_version": VERSION,
        "pbs_server": state.server(),
    }
    for job in jobs:
        nested = answer.setdefault("Jobs", {}).setdefault(job["id"], {})
        for name, value in (attributes(job) | {"Variable_List": job["variables"]}).items():
            group, dot, key = name.partition(".")
            if dot:
                nested.setdefault(group, {})[key] = value
            else:
                nested[name] = value
    return json.dumps(answer, indent="\t", separators=(",", ":\t")) + "\n"


def as_dsv(jobs: list[Job]) -> str:
    """Return a line per job, its attributes separated by bars."""
    lines = []
    for job in jobs:
        values = {name: str(value) for name, value in attributes(job).items()}
        pairs = [f"{name}={value}".replace("|", "\\|") for name, value in values.items()]
        lines.append("|".join([f"Job Id: {job['id']}", *pairs]) + "\n")
    return "".join(lines)


FORMATS = {"json": as_json, "dsv": as_dsv, "": in_full}


def select(operands: list[str], history: bool) -> tuple[list[Job], int]:
    """Return the jobs asked for and the exit code; say on stderr which cannot be had."""
    if not operands:
        jobs = [lifecycle.look(job) for n in state.numbers() if (job := state.read(n))]
        return [job for job in jobs if history or job["state"] != "F"], 0
    if history and not state.keeps_history():
        for operand in operands:
            unable = "PBS is not configured to maintain job history"
            print(f"qstat: {unable} {state.parse_id(operand)[0]}", file=sys.stderr)
        return [], 0
    jobs, code = [], 0
    for operand in operands:
        try:
            job = lifecycle.look(state.find(operand))
            state.refuse_history(job)
            if job["state"] == "F" and not history:
                hint = "use -x or -H to obtain historical job information"
                raise Refused(f"{job['id']} Job has finished, {hint}", 35)
            jobs.append(job)
        except Refused as refusal:
            print(f"qstat: {refusal}", file=sys.stderr)
            code = refusal.code
    return jobs, code


def main() -> int:
    state.log_call("qstat")
    try:
        pairs, operands = getopt.getopt(sys.argv[1:], "fxF:", ["version"])
    except getopt.GetoptError as error:
        print(f"qstat: the stand-in has no such option: {error}", file=sys.stderr)
        return 2
    options = dict(pairs)
    if "--version" in options:
        print(f"pbs_version = {VERSION}")
        return 0
    layout = options.get("-F", "")
    if layout not in FORMATS or ("-F" in options and "-f" not in options):
        print("qstat: the stand-in knows -f, -f -F json and -f -F dsv", file=sys.stderr)
        return 2
    if (state.folder() / "fail-qstat").exists():
        print(f"qstat: cannot connect to server {state.server()} (errno=15010)", file=sys.stderr)
        return 255
    jobs, code = select(operands, history="-x" in options)
    if layout == "json" and operands:
        jobs = jobs[:1]  # as captured: github.com/openpbs/openpbs/issues/2672
    if jobs:
        sys.stdout.write((FORMATS[layout] if "-f" in options else as_list)(jobs))
    return code
