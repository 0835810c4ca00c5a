"""Several small jobs as one job of the scheduler, where that is charged no more than each alone."""

import shlex
from collections.abc import Iterable, Iterator, Sequence
from dataclasses import replace
from pathlib import Path

from snakemake_interface_common.exceptions import WorkflowError
from snakemake_interface_executor_plugins.jobs import JobExecutorInterface

from . import queues
from .plan import Request
from .settings import ExecutorSettings

Ready = tuple[JobExecutorInterface, Request]

SCRIPT = """\
#!/bin/bash
# Written by snakemake-executor-plugin-qsub: jobs that share a node, each with a script, ticket, log
# and marker of its own. This one starts them, each with a GPU of its own, and ends one alone whose
# ticket is withdrawn.
set +Cefu # as a shell's exported SHELLOPTS might have set them
export -n SHELLOPTS BASHOPTS
# Warnings and TERM reach the jobs themselves; this waits for them.
trap '' USR1 USR2
trap : TERM
scripts=({scripts})
IFS=, read -ra gpus <<<"${{CUDA_VISIBLE_DEVICES-}}"
for n in "${{!scripts[@]}}"; do
    [ -x "${{scripts[n]}}" ] || continue
    CUDA_VISIBLE_DEVICES=${{gpus[n]-$n}} "${{scripts[n]}}" &
    pids[n]=$!
done
terminate() {{
    for child in $(pgrep -P "$1"); do terminate "$child"; done
    kill -TERM "$1" 2>/dev/null
}}
while [ -n "$(jobs -rp)" ]; do
    for n in "${{!pids[@]}}"; do
        job=${{scripts[n]%/*}}
        [ -d "$job" ] && [ ! -e "$job/ticket" ] || {{ withdrawn[n]=; continue; }}
        # At the second look: where a submission is in doubt a ticket is away for a moment.
        [ "${{withdrawn[n]}}" ] && kill -0 "${{pids[n]}}" 2>/dev/null && terminate "${{pids[n]}}"
        withdrawn[n]=yes
    done
    sleep {look}
done
# How each went is in its marker; of one that could not leave any this is the scheduler's word.
for pid in "${{pids[@]}}"; do wait "$pid" || failed=1; done
exit "${{failed:-0}}"
"""
LOOK = 2  # seconds between two looks at the tickets


def script(scripts: Iterable[Path]) -> str:
    """The script of a job that runs these job scripts side by side."""
    return SCRIPT.format(scripts=shlex.join(map(str, scripts)), look=LOOK)


def check(settings: ExecutorSettings) -> None:
    """Raise WorkflowError where so many jobs have no room on a node."""
    if settings.pack < 1:
        raise WorkflowError("qsub-pack must be at least 1")
    if settings.pack > 1:
        queues.choose(settings.queues, None, 1, settings.pack, "qsub-pack")


def may_share(job: JobExecutorInterface, asked: Request) -> bool:
    """Whether a job is of one task, and leaves it to us where it runs."""
    small = asked.nodes == asked.tasks_per_node == 1
    return small and not job.is_group() and not job.resources.get("queue")


def together(asked: Sequence[Request], settings: ExecutorSettings) -> Request:
    """What several jobs of one task each ask for in one: a node, and a task for each."""
    first, count = asked[0], len(asked)
    title = ", ".join(each.title for each in asked)
    queue = queues.choose(settings.queues, None, 1, count, title)
    resources = {**first.resources, "threads": sum(each.resources["threads"] for each in asked)}
    if queue:
        resources |= {**queue.resources, "queue": queue.name}
    name = f"{first.name[:50]}-and-{count - 1}"
    return replace(
        first, title=title, name=name, resources=resources, tasks_per_node=count, queue=queue
    )


def packs(
    ready: Iterable[Ready], settings: ExecutorSettings
) -> Iterator[tuple[list[Ready], Request]]:
    """Jobs that are ready at the same time by the job of the scheduler that they share, if any.

    Returns:
        With the jobs of each what it asks for.
    """
    alike: dict[tuple[object, ...], list[Ready]] = {}
    for job, asked in ready:
        words = asked.words(settings, Path("script"), Path("log"), "name")
        shares = settings.pack > 1 and may_share(job, asked)
        alike.setdefault((job.name, *words) if shares else (id(job),), []).append((job, asked))
    for members in alike.values():
        members.sort(key=lambda each: each[1].title)
        for start in range(0, len(members), settings.pack):
            some = members[start : start + settings.pack]
            alone = [asked for _, asked in some]
            shared = together(alone, settings) if len(some) > 1 else alone[0]
            if shared.charged <= sum(asked.charged for asked in alone):
                yield some, shared
            else:
                yield from (([each], each[1]) for each in some)
