"""What ranks do together, by Horovod: add numbers, take over those of rank 0, gather objects."""

from typing import Any

import horovod.torch as hvd
from torch import Tensor

# Horovod: names are given, since the default for objects is their type, of which ranks that have
# none know nothing.


def add(numbers: Tensor, name: str) -> None:
    """Sum over ranks, in place."""
    # Horovod: Sum, not the default Average.
    hvd.allreduce_(numbers, op=hvd.Sum, name=name)


def share(numbers: Tensor, name: str) -> None:
    """Rank 0's numbers on every rank, in place."""
    hvd.broadcast_(numbers, root_rank=0, name=name)


def share_object(content: Any, name: str) -> Any:
    """Rank 0's object, on every rank."""
    return hvd.broadcast_object(content, root_rank=0, name=name)


def gather(content: Any) -> list[Any]:
    """The objects of all ranks, which may differ in size, by rank; the same list on every rank."""
    return hvd.allgather_object(content)
