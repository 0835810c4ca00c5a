"""From a Snakemake job to a command line of qsub, and the script that it submits."""

import os
import re
import shlex
from collections.abc import Mapping
from dataclasses import dataclass
from pathlib import Path
from typing import Any

from snakemake_interface_common.exceptions import WorkflowError

FIELD = re.compile(r"\{(?P<field>\w+)\}|\$\{?(?P<variable>\w+)\}?")
LONGEST_NAME = 60

SCRIPT = """\
#!/bin/bash
# {title}
# Written by snakemake-executor-plugin-qsub. It runs only while its ticket exists, so that a job
# whose submission was lost or withdrawn does nothing.
set +Cefu # as a shell's exported SHELLOPTS might have set them
export -n SHELLOPTS BASHOPTS
unset -f cd
cd {workdir} || exit 1
echo "{job_id}" >{started} || exit 1 # else nobody might know that it runs
[ -e {ticket} ] || {{ echo "withdrawn: nothing to do"; exit 1; }}
echo "$(uname -n) {nodes}" >{host}
mkdir -p {log_folder} && exec >>{log} 2>&1 </dev/null || exit 1
rm -f {carry_on} {marker} # of a run that the scheduler started over
# Warnings of a coming kill are for the program that can save its work, not for what lies above it;
# an ignored signal stays ignored in all programs that do not ask for it. TERM ends the program, and
# bash stays to tell how it went.
trap '' USR1 USR2
trap : TERM
finish() {{
    code=$?
    trap '' EXIT TERM
    echo {token} ended with "$code" >{marker}.part && mv {marker}.part {marker}
    exit $((code != 0)) # some other codes are orders to Grid Engine
}}
trap finish EXIT
export SNAKEMAKE_QSUB_DEADLINE=$(($(date +%s) + {seconds}))
{exports}
{prelude}
unset BASH_ENV ENV CDPATH # of a shell that waits for someone's commands
export SNAKEMAKE_QSUB_HOSTFILE="{hostfile}"
for input in {inputs}; do
    for ((waited = 0; waited <= {latency}; waited++)); do
        [ -e "$input" ] && continue 2
        sleep 1
    done
    echo "$input cannot be seen on $(hostname) after {latency} s (--latency-wait)"
    exit 1
done
{command}
"""


def require_variables(template: str) -> None:
    """Refuse a template that names an environment variable without a value.

    Snakemake fills in the variables of a profile by itself, but leaves an unset one as it is.

    Raises:
        WorkflowError: naming the variable.
    """
    if "{script}" not in template:
        raise WorkflowError(f"qsub-submit has no {{script}}, the job to submit: {template}")
    for found in FIELD.finditer(template):
        name = found["variable"]
        if name and not os.environ.get(name):
            raise WorkflowError(
                f"{name} is not set, and the submit line needs it: export {name}=… "
                f"(qsub-submit: {template})"
            )


def expand(template: str, fields: Mapping[str, Any], what: str) -> list[str]:
    """The words of a command line.

    The template is cut into words before anything is filled in, so that no value can add words of
    its own.

    Raises:
        WorkflowError: a field that the job has not, or a word that is left empty.
    """

    def value(found: re.Match[str]) -> str:
        if found["variable"]:
            return os.environ.get(found["variable"], "")
        name = found["field"]
        if fields.get(name) in (None, ""):
            raise WorkflowError(
                f"{what} has no '{name}', which the submit line asks for: set the resource in the "
                f"profile's default-resources or set-resources (qsub-submit: {template})"
            )
        return str(fields[name])

    try:
        words = [FIELD.sub(value, word) for word in shlex.split(template)]
    except ValueError as error:
        raise WorkflowError(f"qsub-submit: {error}: {template}") from None
    for before, word in zip(["the beginning", *words], words, strict=False):
        if not word:
            raise WorkflowError(
                f"nothing stands after {before} in the submit line: is a variable set to nothing? "
                f"(qsub-submit: {template})"
            )
    return words


def job_name(title: str) -> str:
    """A name that every scheduler takes: it starts with a letter and has no blanks or slashes."""
    name = re.sub(r"[^A-Za-z0-9_.-]+", "_", title)[:LONGEST_NAME]
    return name if name[:1].isalpha() else f"j{name}"


def clock(seconds: int) -> str:
    """HH:MM:SS: a bare number would be seconds to one scheduler and minutes to another."""
    return f"{seconds // 3600:02}:{seconds // 60 % 60:02}:{seconds % 60:02}"


def runtime_seconds(resources: Mapping[str, Any], what: str, name: str = "runtime") -> int:
    """The walltime of a job, from a resource in minutes.

    Raises:
        WorkflowError: no such resource, or none that is a number above 0.
    """
    minutes = resources.get(name)
    if isinstance(minutes, bool) or not isinstance(minutes, int | float) or minutes <= 0:
        raise WorkflowError(
            f"{what}: {name} must be minutes above 0, not {minutes!r}: give it in the rule's "
            "resources or the profile's default-resources"
        )
    return round(minutes * 60)


@dataclass(frozen=True)
class Script:
    """What a job script needs to know; all paths are absolute."""

    title: str
    workdir: Path
    ticket: Path
    started: Path
    host: Path
    log: Path
    marker: Path
    carry_on: Path
    seconds: int  # from its start to the moment by which the program must have ended
    tasks_per_node: int
    nodes: str  # bash for how many it has, for the scheduler's id, and for the file of its hosts
    job_id: str
    hostfile: str
    prelude: Path | None
    exports: tuple[str, ...]  # names of variables of this shell that the job gets as well
    inputs: tuple[str, ...]  # which must be seen on the node, within `latency` seconds
    latency: int
    command: str

    def text(self) -> str:
        """The script."""
        quoted = {
            name: shlex.quote(str(path))
            for name, path in {
                "workdir": self.workdir,
                "ticket": self.ticket,
                "started": self.started,
                "host": self.host,
                "log_folder": self.log.parent,
                "log": self.log,
                "marker": self.marker,
                "token": self.marker.name,
                "carry_on": self.carry_on,
            }.items()
        }
        given = {name: os.environ[name] for name in self.exports if name in os.environ}
        told = {
            "SNAKEMAKE_QSUB_CONTINUE": self.carry_on,
            "SNAKEMAKE_QSUB_TASKS_PER_NODE": self.tasks_per_node,
        }
        exports = [
            f"export {name}={shlex.quote(str(value))}" for name, value in {**given, **told}.items()
        ]
        exports.append(f"export SNAKEMAKE_QSUB_NODES={self.nodes}")
        prelude = f". {shlex.quote(str(self.prelude))}" if self.prelude else ""
        return SCRIPT.format(
            title=self.title.replace("\n", " "),
            seconds=self.seconds,
            exports="\n".join(exports),
            prelude=f"{prelude} || {{ echo 'the prelude failed'; exit 1; }}" if prelude else "",
            nodes=self.nodes,
            job_id=self.job_id,
            hostfile=self.hostfile,
            inputs=shlex.join(self.inputs),
            latency=self.latency,
            command=self.command,
            **quoted,
        )
