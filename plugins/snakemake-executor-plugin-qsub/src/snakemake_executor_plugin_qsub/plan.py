"""What one job asks of the scheduler: its submit line and how much it can cost."""

import shlex
from collections.abc import Mapping
from dataclasses import dataclass, replace
from fractions import Fraction
from pathlib import Path
from typing import Any

from snakemake.common.tbdstring import TBDString
from snakemake_interface_common.exceptions import WorkflowError
from snakemake_interface_executor_plugins.jobs import JobExecutorInterface

from . import queues
from .queues import Queue
from .settings import ExecutorSettings
from .submission import FIELD, clock, expand, job_name, runtime_seconds

DOUBLINGS = 30  # after which any walltime is at its longest
SNAKEMAKES_OWN = "snakejob."  # begins the job names of its command line and of its settings

# Snakemake's own, from the sizes of inputs and the node.
SIZES = {"tmpdir", "mem", "mem_mb", "mem_mib", "disk", "disk_mb", "disk_mib"}


def title(job: JobExecutorInterface) -> str:
    """Rule and wildcards: 'train run=plain seed=1'; of a group, its name and its rules."""
    if job.is_group():
        return " ".join(["group", job.name, *sorted({str(member) for member in job.rules})])
    wildcards = [f"{name}={value}" for name, value in job.wildcards_dict.items()]
    return " ".join([job.name, *wildcards])


def short_name(job: JobExecutorInterface, jobname: str = "") -> str:
    """The same for lists of jobs, 'train.plain.1'; or as Snakemake's --jobname says."""
    if jobname and not jobname.startswith(SNAKEMAKES_OWN):
        return job_name(job.format_wildcards(jobname))
    wildcards = [] if job.is_group() else job.wildcards_dict.values()
    return job_name(".".join([job.name, *map(str, wildcards)]))


@dataclass(frozen=True)
class Request:
    """A job's resources, as the submit line names them."""

    title: str
    name: str
    resources: Mapping[str, Any]
    seconds: int
    nodes: int
    tasks_per_node: int
    walltimes: int  # that it may take, if its program asks to go on
    margin: int
    extra: tuple[str, ...] = ()  # further words, before the script
    longest: int = (
        0  # seconds; each further walltime is twice as long as the one before, up to this
    )
    queue: Queue | None = None

    def words(
        self, settings: ExecutorSettings, script: Path, log: Path, name: str = ""
    ) -> list[str]:
        """The words of the submit line.

        Args:
            name: of this one submission.
        """
        fields = {
            **self.resources,
            "nodes": self.nodes,
            "tasks_per_node": self.tasks_per_node,
            "name": name or self.name,
            "walltime": clock(self.seconds),
            "script": script,
            "log": log,
        }
        words = expand(settings.submit or "", fields, self.title)
        place = words.index(str(script))
        return [*words[:place], *self.extra, *words[place:]]

    def line(self, settings: ExecutorSettings) -> str:
        """The submit line as one would type it, the script and log by their bare names."""
        return shlex.join(self.words(settings, Path("job.sh"), Path("scheduler.log")))

    def at(self, walltime: int) -> "Request":
        """What a job asks for that goes on for the second, third … time."""
        doubled = self.seconds << min(walltime - 1, DOUBLINGS)
        return replace(self, seconds=max(self.seconds, min(doubled, self.longest)))

    @property
    def program_seconds(self) -> int:
        """From the start of a job to the moment by which its program should have ended."""
        return self.seconds - min(self.margin, 3 * self.seconds // 4)

    @property
    def node_hours(self) -> Fraction:
        """Node-hours of one walltime."""
        return Fraction(self.nodes * self.seconds, 3600)

    @property
    def charged(self) -> Fraction:
        """What is charged for one walltime, in node-hours."""
        return self.share * self.node_hours

    @property
    def most_node_hours(self) -> Fraction:
        """Node-hours of all walltimes that it may go on for."""
        growing = min(self.walltimes, DOUBLINGS)
        first = sum(self.at(walltime).node_hours for walltime in range(1, growing + 1))
        return first + (self.walltimes - growing) * self.at(DOUBLINGS).node_hours

    @property
    def share(self) -> Fraction:
        """Of a node, that each of its nodes is charged as."""
        return self.queue.share if self.queue else Fraction(1)

    @property
    def idle(self) -> list[str]:
        """A remark on nodes that it takes whole and does not fill."""
        if self.queue is None or self.tasks_per_node >= self.queue.tasks_per_node:
            return []
        return [
            f"#   fills {self.tasks_per_node} of the {self.queue.tasks_per_node} tasks of each "
            f"node of {self.queue.name}"
        ]


def is_known(job: JobExecutorInterface, template: str) -> bool:
    """Whether all resources are that matter; some depend on files that are yet to be made."""
    members = job.jobs if job.is_group() else [job]
    resources = [item for member in members for item in member.resources.items()]
    unknown = {name for name, value in resources if isinstance(value, TBDString)}
    return unknown <= SIZES - {found["field"] for found in FIELD.finditer(template)}


def request(job: JobExecutorInterface, settings: ExecutorSettings, jobname: str = "") -> Request:
    """Read what a job asks for.

    Args:
        jobname: Snakemake's own pattern for names of jobs.

    Raises:
        WorkflowError: it has no usable runtime, nodes, tasks_per_node, max_walltimes or
            max_runtime, it is a group in which jobs of several tasks would run at once, its
            qsub_extra are no words, or no queue has room for it.
    """
    named = title(job)
    resources = {name: value for name, value in job.resources.items() if not name.startswith("_")}
    if job.is_group():
        resources |= shared(job, named)
    seconds = runtime_seconds(resources, named)
    nodes, tasks = (count(resources, name, 1, named) for name in ("nodes", "tasks_per_node"))
    queue = queues.choose(settings.queues, resources.get("queue"), nodes, tasks, named)
    if queue:
        resources = {**queue.resources, **resources, "queue": queue.name}
    return Request(
        title=named,
        name=short_name(job, jobname),
        resources={**resources, "threads": job.threads},
        seconds=seconds,
        nodes=nodes,
        tasks_per_node=tasks,
        walltimes=count(resources, "max_walltimes", settings.max_walltimes, named),
        margin=settings.margin,
        extra=further_words(resources.get("qsub_extra", ""), named),
        longest=runtime_seconds(resources, named, "max_runtime")
        if "max_runtime" in resources
        else 0,
        queue=queue,
    )


def shared(group: JobExecutorInterface, what: str) -> dict[str, Any]:
    """Resources of a group that Snakemake adds up over jobs which may run at the same time.

    Such jobs share a node where each has one task. An mpirun cannot be told which hosts and slots
    of its job another one uses; one after the other, each has them all.
    """
    names = ("nodes", "tasks_per_node", "max_walltimes", "max_runtime")
    resources = [job.resources for job in group.jobs]
    asked = {name: [each.get(name) for each in resources] for name in names}
    largest = {name: max(filter(None, values)) for name, values in asked.items() if any(values)}
    several = [f"{name}={largest[name]}" for name in names[:2] if largest.get(name, 1) != 1]
    if several and any(len(siblings) > 1 for siblings in group.toposorted):
        raise WorkflowError(
            f"{what}: jobs of {', '.join(several)} each would run at the same time in one job: "
            "leave them out of --groups, or give --group-components 1"
        )
    return largest


def further_words(text: Any, what: str) -> tuple[str, ...]:
    """The words of a resource qsub_extra, cut as a shell would."""
    try:
        return tuple(shlex.split(text))
    except (AttributeError, TypeError, ValueError) as error:
        raise WorkflowError(
            f"{what}: qsub_extra must be options of qsub in one line, not {text!r}: {error}"
        ) from None


def count(resources: Mapping[str, Any], name: str, default: int, what: str) -> int:
    """A resource that is a whole number above 0."""
    value = resources.get(name, default)
    if not isinstance(value, int) or isinstance(value, bool) or value < 1:
        raise WorkflowError(f"{what}: {name} must be a whole number above 0, not {value!r}")
    return value
