"""Tell whether a job in the queue is the job that Snakemake wants to run now."""

import hashlib
import json
from pathlib import Path

from snakemake_interface_executor_plugins.jobs import JobExecutorInterface

SMALL = 1_000_000  # bytes; Snakemake too compares larger files by size and time only


def members(job: JobExecutorInterface) -> list[JobExecutorInterface]:
    """The jobs of a group, or the job itself."""
    if not job.is_group():
        return [job]
    return sorted(job.jobs, key=key_of_one)


def key_of_one(job: JobExecutorInterface) -> str:
    return json.dumps([job.rule.name, sorted(job.wildcards_dict.items())])


def key(job: JobExecutorInterface) -> str:
    """Rule and wildcards."""
    return json.dumps([key_of_one(member) for member in members(job)])


def digest(job: JobExecutorInterface) -> str:
    """Of what the job computes: command, params, outputs and the contents of its inputs."""
    total = hashlib.sha256()
    for member in members(job):
        parts = [
            member.rule.shellcmd or member.rule.script or "",
            *map(stable, member.params),
            *(f"{name}={stable(value)}" for name, value in sorted(member.params.items())),
            *map(str, member.output),
            *(f"{path} {state(Path(path))}" for path in map(str, member.input)),
        ]
        total.update(json.dumps(parts).encode())
    return total.hexdigest()


def stable(value: object) -> str:
    """A value in words that are the same in every process: sets have no order of their own."""
    return repr(sorted(map(repr, value)) if isinstance(value, set | frozenset) else value)


def state(path: Path) -> str:
    """A file's contents where it is small, else size and time; a folder is only there or not."""
    try:
        found = path.stat()
        if path.is_dir():
            return "folder"
        if found.st_size > SMALL:
            return f"{found.st_size} {found.st_mtime_ns}"
        return hashlib.sha256(path.read_bytes()).hexdigest()
    except OSError:
        return "missing"
