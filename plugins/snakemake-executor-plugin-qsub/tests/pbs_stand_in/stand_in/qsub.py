"""qsub of the PBS stand-in: takes a job as ABCI does and leaves it to a supervisor.

qsub -P GROUP -q QUEUE -l select=N[:mpiprocs=M] [-l walltime=[[HH:]MM:]SS] [-N NAME] [-j oe|n]
     [-o PATH] [-e PATH] [-k KEEP] [-v A=b,...] [-m n] [-r n] [-h] SCRIPT
"""

import getopt
import os
import pwd
import re
import sys
import time
from pathlib import Path
from typing import Any

from stand_in import lifecycle, state, variables
from stand_in.state import Job, Refused

NODES_PER_JOB = {"rt_HF": 128, "rt_HG": 1, "rt_HC": 1}  # largest select of each queue of ABCI
WALLTIME = {"default": 3600, "longest": 168 * 3600}  # s


def parse_resources(texts: list[str]) -> dict[str, str]:
    """Return the resources of all -l options."""
    resources = dict(item.partition("=")[::2] for text in texts for item in text.split(","))
    for name in resources:
        if name not in ("select", "walltime", "place"):
            raise Refused(f"Unknown resource Resource_List.{name}", 187)
    return resources


def parse_select(text: str) -> dict[str, Any]:
    """Return number of chunks, and what each of them has."""
    count, *resources = text.split(":")
    chunk = {"ncpus": "1", "chunks": count, **dict(item.partition("=")[::2] for item in resources)}
    counts = {name: chunk.get(name) for name in ("chunks", "ncpus", "mpiprocs", "ompthreads")}
    given = {name: number for name, number in counts.items() if number is not None}
    if count == "0" or not all(re.fullmatch(r"\d+", number) for number in given.values()):
        raise Refused("Illegal attribute or resource value Resource_List.select", 166)
    return {**counts, **{name: int(number) for name, number in given.items()}}


def parse_walltime(text: str) -> int:
    """Return seconds."""
    if not re.fullmatch(r"(?:(?:\d+:)?\d+:)?\d+", text):
        raise Refused("Illegal attribute or resource value Resource_List.walltime", 166)
    seconds = 0
    for part in text.split(":"):
        seconds = 60 * seconds + int(part)
    return seconds


def server_path(given: str | None, name: str, number: int, kind: str) -> str:
    """Return Output_Path (kind "o") or Error_Path ("e"): host and absolute path."""
    folder = variables.working_folder()
    if given and re.match(r"[\w.-]+:", given):
        return given
    if given:
        path = given if given.startswith("/") else f"{folder}/{given}"
    else:
        path = f"{folder}/{name}.{kind}{number}"
    return f"{state.server()}:{path}"


def simulation() -> dict[str, float]:
    """Return what a job without a process needs; nothing where jobs are real."""
    if os.environ.get("PBS_STAND_IN_SIMULATE") != "1":
        return {}
    return {"simulated": float(os.environ.get("PBS_STAND_IN_SECONDS", "1"))}


def parse(arguments: list[str]) -> tuple[dict[str, str], dict[str, str], Path]:
    """Return options, resources and script; refuse what PBS or ABCI refuses."""
    try:
        pairs, operands = getopt.getopt(arguments, "P:q:l:N:j:o:e:k:v:m:r:h")
    except getopt.GetoptError as error:
        raise Refused(f"the stand-in has no such option: {error}", 2) from error
    if len(operands) != 1:
        raise Refused("the stand-in takes one script", 2)
    script = Path(operands[0])
    if not script.is_file():
        raise Refused("script file:: No such file or directory", 1)
    options = {name: value for name, value in pairs if name != "-l"}
    resources = parse_resources([value for name, value in pairs if name == "-l"])
    if not {"-P", "-q"} <= set(options) or "select" not in resources:
        raise Refused("-P GROUP, -q QUEUE and -l select=N are mandatory", 1)
    if options["-q"] not in NODES_PER_JOB:
        raise Refused("Unknown queue", 170)
    if not re.fullmatch(r"\S{1,230}", options.get("-N", script.name)):
        raise Refused("illegal -N value", 1)
    return options, resources, script


def described(options: dict[str, str], resources: dict[str, str], script: Path) -> Job:
    """Return what the job asks for."""
    request = parse_select(resources["select"])
    walltime = parse_walltime(resources.get("walltime", str(WALLTIME["default"])))
    if request["chunks"] > NODES_PER_JOB[options["-q"]] or walltime > WALLTIME["longest"]:
        raise Refused("Job violates queue and/or server resource limits", 188)
    return {
        **request,
        "name": options.get("-N", script.name),
        "project": options["-P"],
        "queue": options["-q"],
        "select": resources["select"],
        "walltime": walltime,
        "join": options.get("-j", "n"),
        "keep": options.get("-k", "n"),
        "mail": options.get("-m", "a"),
        "hold": "u" if "-h" in options else "n",
        "variables": variables.of_job(options["-q"], options.get("-v", "")),
        "submit_arguments": " ".join(sys.argv[1:]),
    }


def queued(job: Job) -> Job:
    """Return the job with what the server and its nodes make of it."""
    now = time.time()
    user = os.environ.get("PBS_STAND_IN_USER") or pwd.getpwuid(os.getuid()).pw_name
    job = job | {
        "server": state.server(),
        "owner": f"{user}@{state.server()}",
        "home": os.environ.get("HOME", "/"),
        "ctime": now,
        "mtime": now,
        "nodes": os.environ.get("PBS_STAND_IN_NODES", "g0001 g0002").split(),
        "delay": float(os.environ.get("PBS_STAND_IN_DELAY", "0")),
        "state": "Q",
        "substate": 10,
        "supervised": False,
        **simulation(),
    }
    if job["hold"] == "u":
        job |= {"state": "H", "substate": 20}
    elif job["chunks"] > len(job["nodes"]):
        job["comment"] = "Can Never Run: Not enough total nodes available"
        job["delay"] = float("inf")
    else:
        job["supervised"] = "simulated" not in job
    return job


def check_limit() -> None:
    """Refuse a job where as many are there as one user may have in the queue and running."""
    most = os.environ.get("PBS_STAND_IN_MOST")
    if most is None:
        return
    jobs = [lifecycle.look(job) for number in state.numbers() if (job := state.read(number))]
    if sum(job["state"] != "F" for job in jobs) >= int(most):
        raise Refused("would exceed queue generic's per-user limit", 38)


def submit(arguments: list[str]) -> str:
    """Take the job and return its id; a supervisor lives on where the job has a process."""
    options, resources, script = parse(arguments)
    check_limit()
    job = queued(described(options, resources, script))
    with state.locked():
        number = job["number"] = state.new_number()
    job["id"] = f"{number}.{state.server()}"
    for key, option in {"output_path": "-o", "error_path": "-e"}.items():
        job[key] = server_path(options.get(option), job["name"], number, option[1])
    if "simulated" not in job:
        copy = state.job_path(number, "SC")
        copy.write_bytes(script.read_bytes())
        copy.chmod(0o700)
    if not job["supervised"]:
        state.write(job)
        return job["id"]
    from stand_in import supervisor  # slow to import, and simulated jobs need none

    with state.hold_alive_lock(number):
        state.write(job)
        supervisor.launch(number)
    return job["id"]


def main() -> int:
    state.log_call("qsub")
    try:
        print(submit(sys.argv[1:]))
    except Refused as refusal:
        print(f"qsub: {refusal}", file=sys.stderr)
        return refusal.code
    return 0
