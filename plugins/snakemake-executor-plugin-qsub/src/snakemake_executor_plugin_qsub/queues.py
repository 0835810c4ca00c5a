"""Which queue a job goes to: the first of the profile's table that has room for it."""

from collections.abc import Iterable, Mapping
from dataclasses import dataclass, field
from fractions import Fraction
from typing import Any

from snakemake_interface_common.exceptions import WorkflowError


@dataclass(frozen=True)
class Queue:
    """A queue of the site.

    Args:
        nodes, tasks_per_node: the most that one of its jobs can have.
        share: of a node, that each node of its jobs is charged as.
        resources: further ones, for the submit line.
    """

    name: str
    nodes: int = 1
    tasks_per_node: int = 1
    share: Fraction = Fraction(1)
    resources: Mapping[str, str] = field(default_factory=dict)

    def has_room(self, nodes: int, tasks_per_node: int) -> bool:
        return nodes <= self.nodes and tasks_per_node <= self.tasks_per_node


def read(lines: Iterable[str]) -> dict[str, Queue]:
    """The table by names, in its order.

    Raises:
        WorkflowError: a line that is none of a queue, or a second one of the same.
    """
    table: dict[str, Queue] = {}
    for line in lines:
        queue = read_line(str(line))
        if queue.name in table:
            raise WorkflowError(f"qsub-queues has two lines of {queue.name}")
        table[queue.name] = queue
    return table


def read_line(line: str) -> Queue:
    """'rt_HF nodes=128 tasks_per_node=8 share=1 ssh=1'."""
    name, *words = line.split() or [""]
    values = dict(word.partition("=")[::2] for word in words)
    try:
        nodes, tasks = (int(values.pop(key, "1")) for key in ("nodes", "tasks_per_node"))
        share = Fraction(values.pop("share", "1"))
    except (ValueError, ZeroDivisionError):
        nodes = tasks = 0
    is_named = name != "" and "=" not in name
    if not (is_named and nodes > 0 and tasks > 0 and share > 0 and all(values.values())):
        raise WorkflowError(
            "qsub-queues: a line is the name of a queue, nodes=… and tasks_per_node=… (the most of "
            "a job, whole numbers above 0), share=… (of a node, as 1/8) and further resources, not "
            f"{line!r}"
        )
    return Queue(name, nodes, tasks, share, values)


def written(table: Mapping[str, Queue]) -> list[str]:
    """The lines of a table."""
    return [
        " ".join(
            [
                queue.name,
                f"nodes={queue.nodes} tasks_per_node={queue.tasks_per_node} share={queue.share}",
                *(f"{key}={value}" for key, value in queue.resources.items()),
            ]
        )
        for queue in table.values()
    ]


def choose(
    table: Mapping[str, Queue], named: Any, nodes: int, tasks_per_node: int, what: str
) -> Queue | None:
    """The queue that a job names, else the first with room for it; None where there is no table.

    Raises:
        WorkflowError: none has room.
    """
    if not table:
        return None
    if named:
        return table.get(str(named), Queue(str(named)))
    for queue in table.values():
        if queue.has_room(nodes, tasks_per_node):
            return queue
    room = ", ".join(f"{each.name} {each.nodes} x {each.tasks_per_node}" for each in table.values())
    raise WorkflowError(
        f"{what}: no queue has room for {nodes} nodes x {tasks_per_node} tasks ({room}): lower "
        "nodes or tasks_per_node, or see qsub-queues in the profile"
    )
