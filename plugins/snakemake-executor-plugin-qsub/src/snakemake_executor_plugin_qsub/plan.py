"""Read from Snakemake's jobs what each is called and asks for."""

import re
import shlex
from collections.abc import Mapping
from typing import Any

from snakemake.common.tbdstring import TBDString
from snakemake_interface_common.exceptions import WorkflowError
from snakemake_interface_executor_plugins.jobs import JobExecutorInterface

from . import queues
from .request import Request
from .settings import ExecutorSettings
from .submission import FIELD, job_name, runtime_seconds

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


def is_known(job: JobExecutorInterface, template: str) -> bool:
    """Whether all resources are that matter; some depend on files that are yet to be made."""
    members = job.jobs if job.is_group() else [job]
    resources = [item for member in members for item in member.resources.items()]
    unknown = {name for name, value in resources if isinstance(value, TBDString)}
    return unknown <= SIZES - {found["field"] for found in FIELD.finditer(template)}


def request(
    job: JobExecutorInterface, settings: ExecutorSettings, jobname: str = "", on: int = 0
) -> Request:
    """Read what a job asks for.

    Args:
        jobname: Snakemake's own pattern for names of jobs.
        on: nodes, in place of those that the job says.

    Raises:
        WorkflowError: it has no usable runtime, nodes, nodes_least, tasks_per_node,
            slots_per_node, max_walltimes or max_runtime, it is a group in which jobs of several
            tasks would run at once, its qsub_extra are no words, or no queue has room for it.
    """
    named = title(job)
    resources = {name: value for name, value in job.resources.items() if not name.startswith("_")}
    if job.is_group():
        resources |= shared(job, named)
    seconds = runtime_seconds(resources, named)
    nodes, tasks = (count(resources, name, 1, named) for name in ("nodes", "tasks_per_node"))
    nodes = on or nodes
    least = min(count(resources, "nodes_least", nodes, named), nodes)
    queue = queues.choose(settings.queues, resources.get("queue"), nodes, tasks, named)
    if queue:
        resources = {**queue.resources, **resources, "queue": queue.name}
    check_slots(resources, named)
    return Request(
        title=named,
        name=short_name(job, jobname),
        resources={**resources, "threads": job.threads},
        seconds=seconds,
        nodes=nodes,
        tasks_per_node=tasks,
        walltimes=count(resources, "max_walltimes", settings.max_walltimes, named),
        margin=settings.margin,
        extra=(
            # Else the scheduler itself would start it over, on as many nodes as were lost.
            *(("-r", "n") if least < nodes else ()),
            *further_words(resources.get("qsub_extra", ""), named),
        ),
        longest=runtime_seconds(resources, named, "max_runtime")
        if "max_runtime" in resources
        else 0,
        queue=queue,
        least=least,
    )


def check_slots(resources: Mapping[str, Any], what: str) -> None:
    """Refuse a number of slots that is none; in a table of queues it is text."""
    value = resources.get("slots_per_node", 1)
    if not re.fullmatch(r"[1-9]\d*", str(value)):
        raise WorkflowError(f"{what}: slots_per_node must be a whole number above 0, not {value!r}")


def shared(group: JobExecutorInterface, what: str) -> dict[str, Any]:
    """Resources of a group that Snakemake adds up over jobs which may run at the same time.

    Such jobs share a node where each has one task. An mpirun cannot be told which hosts and slots
    of its job another one uses; one after the other, each has them all.
    """
    names = ("nodes", "tasks_per_node", "max_walltimes", "max_runtime")
    resources = [job.resources for job in group.jobs]
    asked = {name: [each.get(name) for each in resources] for name in names}
    largest = {name: max(filter(None, values)) for name, values in asked.items() if any(values)}
    largest["nodes_least"] = max(
        each.get("nodes_least", each.get("nodes", 1)) for each in resources
    )
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
