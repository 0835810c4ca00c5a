"""Ranks that work together by torch.distributed: Gloo on CPUs, NCCL on GPUs.

The launcher numbers the ranks. They find each other in a file in the folder of their signs, which
launch.sh makes anew for each call where all hosts see it: no port is agreed on.
"""

import atexit
import contextlib
import os
import socket
from collections.abc import Mapping
from datetime import timedelta
from pathlib import Path
from typing import Any

import torch
import torch.distributed as dist
from torch import Tensor

from elboflow.ranks.signs import MEETING
from elboflow.ranks.user_errors import in_one_line

# A rank's number and how many there are: Open MPI, MPICH and Intel MPI, Slurm. In this order, since
# a batch script of Slurm's is a rank of its own.
NUMBERS = (
    ("OMPI_COMM_WORLD_RANK", "OMPI_COMM_WORLD_SIZE"),
    ("PMI_RANK", "PMI_SIZE"),
    ("SLURM_PROCID", "SLURM_STEP_NUM_TASKS"),
)
# The watchdog ends ranks that wait for one that stands still; who works is waited for.
NEVER = timedelta(days=3650)
TURN = timedelta(seconds=1)
_hosts: list[str] = []  # by rank


class NotJoined(RuntimeError):
    """Ranks that do not find each other."""


def numbers(environment: Mapping[str, str] = os.environ) -> tuple[int, int]:
    """This rank and how many there are; without a launcher it is alone."""
    for rank, size in NUMBERS:
        if rank in environment and size in environment:
            return int(environment[rank]), int(environment[size])
    return 0, 1


def join() -> None:
    """Connect this rank with the others; no other call may come before."""
    rank, size = numbers()
    with in_one_line(rank, NotJoined):
        store = _meeting_place(size)
        _hosts[:] = meet(store, rank, size)
        if unreachable := unreachable_host(_hosts):
            raise NotJoined(unreachable)
        _connect(store, rank, size)


def _connect(store: dist.Store, rank: int, size: int) -> None:
    backend = "cpu:gloo,cuda:nccl" if torch.cuda.is_available() else "gloo"
    try:
        dist.init_process_group(backend, store=store, rank=rank, world_size=size, timeout=NEVER)
        atexit.register(dist.destroy_process_group)  # else its threads abort a process that ends
    except RuntimeError as error:
        reason = str(error).splitlines()[0]
        raise NotJoined(
            f"rank {rank} on {_hosts[rank]} does not reach all others ({reason}): "
            "GLOO_SOCKET_IFNAME names the network interface that leads to them, as ib0"
        ) from error


def _meeting_place(size: int) -> dist.Store:
    if size == 1:
        return dist.HashStore()
    if not (folder := os.environ.get("ELBOFLOW_SIGNS")):
        raise NotJoined("ranks have no folder to meet in: start them by workflow/scripts/launch.sh")
    return dist.FileStore(str(Path(folder, MEETING)), size)


def meet(store: dist.Store, rank: int, size: int) -> list[str]:
    """The hosts of all ranks, which are there by then.

    Raises:
        NotJoined: one has not come for ELBOFLOW_STALL_SECONDS.
    """
    seconds = int(os.environ.get("ELBOFLOW_STALL_SECONDS", "600"))
    store.set_timeout(timedelta(seconds=seconds))
    hosts: list[str] = []
    try:
        store.set(f"host{rank}", socket.gethostname())
        while len(hosts) < size:
            hosts.append(store.get(f"host{len(hosts)}").decode())
    except RuntimeError as error:
        raise NotJoined(
            f"rank {len(hosts)} has not joined rank {rank} on {socket.gethostname()} within "
            f"{seconds} seconds (stall_seconds): {str(error).splitlines()[0]}"
        ) from error
    return hosts


def unreachable_host(hosts: list[str]) -> str:
    """Why Gloo would give the others no address where they reach this host, or ''."""
    here, address = socket.gethostname(), "no address"
    if len(set(hosts)) == 1 or os.environ.get("GLOO_SOCKET_IFNAME"):
        return ""
    with contextlib.suppress(OSError):
        address = socket.gethostbyname(here)
    if address[0].isdigit() and not address.startswith("127."):
        return ""
    return (
        f"the name of host {here} stands there for {address}, where no other host reaches it: name "
        "its network interface in GLOO_SOCKET_IFNAME, as in export GLOO_SOCKET_IFNAME=ib0"
    )


def part() -> None:
    """Wait until all ranks are here."""
    add(torch.zeros(1), "end")


def position() -> tuple[int, int, int, int]:
    """This rank, how many there are, and the same among those of this host."""
    rank, host = dist.get_rank(), _hosts[dist.get_rank()]
    return rank, len(_hosts), _hosts[:rank].count(host), _hosts.count(host)


def adds_with(device: torch.device) -> str:
    """What adds the numbers of such devices, with NCCL's version."""
    if device.type == "cuda":
        return f"NCCL {'.'.join(map(str, torch.cuda.nccl.version()))} (torch.distributed)"
    return "Gloo (torch.distributed)"


def unfit(device: torch.device) -> list[str]:
    """Nothing, or why numbers of such a device cannot be added."""
    if device.type == "cuda" and not dist.is_nccl_available():
        return ["this is a GPU run and this torch has no NCCL: set environment.gpu to none"]
    return []


def add(numbers: Tensor, name: str) -> None:
    """Sum over ranks, in place."""
    _finish(dist.all_reduce(numbers, async_op=True), numbers.device)


def share(numbers: Tensor, name: str, source: int = 0) -> None:
    """The numbers of rank `source` on every rank, in place."""
    _finish(dist.broadcast(numbers, source, async_op=True), numbers.device)


def share_object(content: Any, name: str) -> Any:
    """Rank 0's object, on every rank."""
    contents = [content]
    _meet_again()
    dist.broadcast_object_list(contents, 0)
    return contents[0]


def gather(content: Any) -> list[Any]:
    """The objects of all ranks, which may differ in size, by rank; the same list on every rank."""
    contents = [None] * dist.get_world_size()
    _meet_again()
    dist.all_gather_object(contents, content)
    return contents


def _meet_again() -> None:
    """Wait for the others in a way that shows; what follows waits in one that does not."""
    add(torch.zeros(1), "meeting")


def _finish(work: dist.Work, device: torch.device) -> None:
    """Wait, on a CPU in turns: without a sign of life a rank is taken for one that hangs.

    On a GPU the device waits, and this process goes on.
    """
    while device.type == "cpu" and not work.is_completed():
        with contextlib.suppress(RuntimeError):  # the turn is over
            work.wait(TURN)
    work.wait()
