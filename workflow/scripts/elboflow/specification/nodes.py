"""How many nodes a run asks for, where it states their least and their most number."""

from typing import Any


def bounds(run: dict[str, Any]) -> tuple[int, int]:
    """The least and the most nodes of a resolved run."""
    nodes = run["nodes"]
    return (nodes, nodes) if isinstance(nodes, int) else tuple(nodes)


def most_nodes(run: dict[str, Any]) -> int:
    """The nodes of the first try, for which everything is planned."""
    return bounds(run)[1]


def least_nodes(run: dict[str, Any]) -> int | None:
    """With how many a further try can do; None where the run states no bounds."""
    least, most = bounds(run)
    return least if least < most else None


def nodes_of_try(run: dict[str, Any], attempt: int) -> int:
    """Half as many for each try (from 1) after the first, and never fewer than the least.

    Where the scheduler can be asked, its answer is better.
    """
    least, most = bounds(run)
    return max(least, most >> (attempt - 1))
