"""The section of the configuration that has a run timed on several numbers of ranks."""

from itertools import pairwise
from typing import Any

from elboflow.specification.check_dataset import Sizes
from elboflow.specification.resolve import Resolved


def layout(ranks: int, tasks_per_node: int) -> dict[str, int]:
    """Nodes and ranks on each of them: one node as far as it reaches, then whole nodes."""
    tasks = min(ranks, tasks_per_node)
    return {"nodes": ranks // tasks, "tasks_per_node": tasks}


def images_per_rank(run: dict[str, Any], ranks: list[int]) -> int:
    """Of a batch, in weak scaling: what strong scaling gives each of the fewest ranks."""
    return int(run["batch_size"]) // ranks[0]


def complaint_about_scaling(resolved: Resolved, sizes: dict[str, Sizes]) -> str | None:
    """What is wrong with the section, as `key: what`; None if nothing is, or there is none."""
    if resolved.scaling is None:
        return None
    name, ranks = resolved.scaling["run"], resolved.scaling["ranks"]
    if name not in resolved.runs:
        return f"run: no run {name!r}, known are {', '.join(resolved.runs)}"
    run = resolved.runs[name]
    if run["weights"]:
        return f"run: {name} trains nothing, since its weights are given; name another"
    if any(few > many for few, many in pairwise(ranks)):
        return f"ranks: {ranks} do not rise"
    tasks = run["tasks_per_node"]
    for count in ranks:
        if count > tasks and count % tasks:
            return f"ranks: {count} ranks fill no whole nodes of {tasks} (tasks_per_node)"
    known = sizes[run["dataset"]]
    smallest = min(size for size in (run["batch_size"], known["validation"]) if size)
    if ranks[-1] > smallest:
        return f"ranks: {ranks[-1]} ranks are more than the {smallest} images of a batch or split"
    batch, images = images_per_rank(run, ranks) * ranks[-1], known["train"]
    if images is not None and batch > images:
        return (
            f"ranks: {ranks[-1]} ranks with {batch // ranks[-1]} images each are more than the "
            f"{images} training images; lower batch_size of {name}"
        )
    return None
