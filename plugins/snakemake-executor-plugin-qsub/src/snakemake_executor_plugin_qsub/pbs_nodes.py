"""How many nodes of a PBS could take a job's chunks now.

`pbsnodes -a` has an entry for each host: its name, and behind five blanks its attributes.
"""

import re
from collections.abc import Callable, Mapping, Sequence

from .commands import Answer

ENTRY = re.compile(r"^(?=\S)", re.MULTILINE)
ATTRIBUTE = re.compile(r"^ {5}([\w.]+) = (.*?) *$", re.MULTILINE)
CHUNK = re.compile(r"\bselect=\d+((?::[^\s,:+]+)*)")
NO_NODES_OWN = {"mpiprocs", "ompthreads"}  # what a chunk has, and no node lists
AMOUNT = re.compile(r"(\d{1,15})(|b|kb|mb|gb|tb)", re.IGNORECASE)
UNITS = {"": 1, "b": 1, "kb": 2**10, "mb": 2**20, "gb": 2**30, "tb": 2**40}


def free_nodes(
    words: Sequence[str], queue: str, ask: Callable[[Sequence[str]], Answer]
) -> int | None:
    """How many nodes are free as a whole, and have what a chunk of the submit line wants.

    Returns:
        None where there was no answer.
    """
    answer = ask(["pbsnodes", "-a"])
    entries = [dict(ATTRIBUTE.findall(text)) for text in ENTRY.split(answer.stdout)]
    nodes = [entry for entry in entries if "state" in entry]
    if answer.exit_code or not nodes:
        return None
    wanted = chunk(words)
    return sum(
        is_free(node, queue) and all(has(node, *each) for each in wanted.items()) for node in nodes
    )


def chunk(words: Sequence[str]) -> dict[str, str]:
    """What each node is to have, by the first chunk of a submit line."""
    found = CHUNK.search(" ".join(words))
    resources = (each.partition("=") for each in found[1].split(":")[1:]) if found else ()
    return {name: value for name, _, value in resources if name not in NO_NODES_OWN}


def is_free(node: Mapping[str, str], queue: str) -> bool:
    """A node of which a part is in use is `free` as well, and may belong to another queue."""
    in_use = node.keys() & {"jobs", "resv"}
    return node["state"] == "free" and not in_use and node.get("queue", queue) == queue


def has(node: Mapping[str, str], name: str, value: str) -> bool:
    """Whether a node has as much of a resource, or such a label among its own."""
    there = node.get(f"resources_available.{name}", "0")
    wanted, given = amount(value), amount(there)
    if wanted is None or given is None:
        return value.lower() in there.lower().replace(" ", "").split(",")
    return given >= wanted


def amount(text: str) -> int | None:
    """A number, or a size in bytes; None for a label."""
    found = AMOUNT.fullmatch(text)
    return int(found[1]) * UNITS[found[2].lower()] if found else None
