"""Ranks that work together by Horovod: MPI or Gloo on CPUs, NCCL on GPUs."""

import atexit
import contextlib
import os
from pathlib import Path
from typing import Any

import horovod.torch as hvd
import torch
from torch import Tensor

from elboflow.environment.cuda import readable_version
from elboflow.ranks.signs import AT_EXIT

# Names are given, since the default for objects is their type, of which ranks that have none know
# nothing.


def join() -> None:
    """Connect this rank with the others; no other call may come before."""
    hvd.init()
    atexit.register(_tell_of_exit)  # before Horovod's own, which waits for the other ranks


def part() -> None:
    """Wait until all ranks are here."""
    _tell_of_exit()
    hvd.shutdown()


def _tell_of_exit() -> None:
    """Tell this rank's watchdog that its main thread now rests while others work."""
    if sign := os.environ.get("ELBOFLOW_SIGN"):
        with contextlib.suppress(OSError):
            Path(sign + AT_EXIT).touch()


def position() -> tuple[int, int, int, int]:
    """This rank, how many there are, and the same among those of this host."""
    return hvd.rank(), hvd.size(), hvd.local_rank(), hvd.local_size()


def adds_with(device: torch.device) -> str:
    """What adds the numbers of such devices, with NCCL's version."""
    # nccl_built() is 0, or NCCL's version as one number.
    if device.type == "cuda" and (code := hvd.nccl_built()):
        return f"NCCL {readable_version(code)} (Horovod)"
    return f"{'MPI' if hvd.mpi_enabled() else 'Gloo'} (Horovod)"


def unfit(device: torch.device) -> list[str]:
    """Nothing, or why numbers of such a device cannot be added."""
    if device.type == "cuda" and not hvd.nccl_built():
        return [
            "this is a GPU run and Horovod was built for CPUs only (without NCCL): build the "
            "environment on a GPU node with environment.gpu: cuda, or set it to none to train on "
            "CPUs"
        ]
    if not (hvd.mpi_built() or hvd.gloo_built() or device.type == "cuda"):
        return ["Horovod was built with neither MPI nor Gloo: build the environment again"]
    return []


def add(numbers: Tensor, name: str) -> None:
    """Sum over ranks, in place."""
    hvd.allreduce_(numbers, op=hvd.Sum, name=name)  # not the default Average


def share(numbers: Tensor, name: str, source: int = 0) -> None:
    """The numbers of rank `source` on every rank, in place."""
    hvd.broadcast_(numbers, root_rank=source, name=name)


def share_object(content: Any, name: str) -> Any:
    """Rank 0's object, on every rank."""
    return hvd.broadcast_object(content, root_rank=0, name=name)


def gather(content: Any) -> list[Any]:
    """The objects of all ranks, which may differ in size, by rank; the same list on every rank."""
    return hvd.allgather_object(content)
