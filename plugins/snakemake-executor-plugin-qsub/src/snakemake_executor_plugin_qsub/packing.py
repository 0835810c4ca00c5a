"""Several small jobs as one job of the scheduler, where that is charged no more than each alone."""

import shlex
import time
from collections.abc import Callable, Iterable, Iterator, Sequence
from dataclasses import replace
from itertools import filterfalse
from pathlib import Path
from threading import Lock

from snakemake_interface_common.exceptions import WorkflowError
from snakemake_interface_executor_plugins.jobs import JobExecutorInterface

from . import queues
from .request import Request
from .settings import ExecutorSettings

Ready = tuple[JobExecutorInterface, Request]
Pack = tuple[list[Ready], Request]  # jobs, and what the one that runs them asks for

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
GATHER = 15.0  # seconds in which another job may become ready


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


def alike(ready: Iterable[Ready], settings: ExecutorSettings) -> list[list[Ready]]:
    """Jobs by whether they may share a node, no more of them together than have room on it."""
    groups: dict[tuple[object, ...], list[Ready]] = {}
    for job, asked in ready:
        words = asked.words(settings, Path("script"), Path("log"), "name")
        shares = settings.pack > 1 and may_share(job, asked)
        groups.setdefault((job.name, *words) if shares else (id(job),), []).append((job, asked))
    for members in groups.values():
        members.sort(key=lambda each: each[1].title)
    return [
        members[start : start + settings.pack]
        for members in groups.values()
        for start in range(0, len(members), settings.pack)
    ]


def packs(groups: Iterable[list[Ready]], settings: ExecutorSettings) -> Iterator[Pack]:
    """What the scheduler is given: a job for all of a group, or for each where that is cheaper."""
    for members in groups:
        alone = [asked for _, asked in members]
        shared = together(alone, settings) if len(members) > 1 else alone[0]
        if shared.charged <= sum(asked.charged for asked in alone):
            yield members, shared
        else:
            yield from (([each], each[1]) for each in members)


class Gathering:
    """Jobs that may share a node and are ready, until they fill one or no other comes.

    What they wait for is often made one after the other, by light jobs that run here.

    Args:
        clock: seconds.
    """

    def __init__(
        self, settings: ExecutorSettings, clock: Callable[[], float] = time.monotonic
    ) -> None:
        self.settings, self.clock = settings, clock
        self.held: list[Ready] = []
        self.last = clock()  # when one came
        self.lock = Lock()

    def add(self, ready: Sequence[Ready]) -> list[Pack]:
        """Take jobs in; what is to be submitted now."""
        with self.lock:
            self.last = self.clock()
            groups = alike([*self.held, *ready], self.settings)
            self.held = [each for some in groups if self._may_grow(some) for each in some]
            return list(packs(filterfalse(self._may_grow, groups), self.settings))

    def due(self) -> list[Pack]:
        """All of them, where none has come for a while."""
        with self.lock:
            if self.clock() - self.last < GATHER:
                return []
            held, self.held = self.held, []
            return list(packs(alike(held, self.settings), self.settings))

    def _may_grow(self, members: list[Ready]) -> bool:
        return len(members) < self.settings.pack and may_share(*members[0])
