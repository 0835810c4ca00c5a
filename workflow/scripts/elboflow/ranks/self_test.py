"""Whether the ranks are those that were asked for, and whether they can add numbers."""

from collections import Counter

import torch
from torch import Tensor

from elboflow.ranks.collectives import add, share, unfit
from elboflow.ranks.place import Worker

DTYPES = (torch.float32, torch.float64, torch.int64)


def misplaced(workers: list[Worker], asked: int, nodes: int = 0) -> list[str]:
    """What is wrong with who is there: number, ranks, hosts, devices.

    Args:
        nodes: how many hosts a scheduler gave for this; 0 where any number will do.
    """
    problems = []
    if len(workers) != asked:
        problems.append(
            f"{asked} ranks were asked for and {len(workers)} joined: the launcher starts "
            "another number, or is not of the MPI that the environment was built with"
        )
    hosts = sorted({worker.host for worker in workers})
    if nodes and len(hosts) != nodes:
        problems.append(
            f"the job has {nodes} nodes and the ranks run on {len(hosts)}: {', '.join(hosts)}; see "
            "the launcher's options in the profile's mpi"
        )
    if sorted(worker.rank for worker in workers) != list(range(len(workers))):
        problems.append(f"ranks are not 0 to {len(workers) - 1}, each once")
    if len({worker.device.type for worker in workers}) > 1:
        without = sorted({worker.host for worker in workers if not worker.gpu})
        problems.append(f"some ranks have a GPU and some none: see {', '.join(without)}")
    places = Counter((worker.host, worker.gpu) for worker in workers if worker.gpu)
    for (host, gpu), count in sorted(places.items()):
        if count > 1:
            problems.append(
                f"{count} ranks share GPU {gpu} of {host}: ask for as many GPUs as ranks a node"
            )
    return problems


def unfit_device(device: torch.device, wanted: str) -> list[str]:
    """Nothing, or that the device is not the wanted one, or that numbers cannot be added on it."""
    if wanted == "cuda" and device.type != "cuda":
        return [
            "environment.gpu is cuda, and no GPU is seen here: run on a GPU node, or set it to none"
        ]
    return unfit(device)


def differences(operation: str, got: Tensor, expected: Tensor) -> list[str]:
    """Nothing, or what the operation returned in place of what it should; both of shape (n,)."""
    if got.dtype == expected.dtype and torch.equal(got, expected):
        return []
    dtype = str(expected.dtype).removeprefix("torch.")
    return [f"{operation} of {dtype} gave {got.tolist()}, not {expected.tolist()}"]


def wrong_operations(worker: Worker) -> list[str]:
    """Let all ranks add and share a few numbers whose results are known."""
    problems = []
    for dtype in DTYPES:
        numbers = torch.arange(4, dtype=dtype, device=worker.device)
        total = numbers + worker.rank
        add(total, f"sum.{dtype}")
        expected = numbers * worker.size + worker.size * (worker.size - 1) // 2
        problems += differences("allreduce", total, expected)
        # From the last rank, so that rank 0 cannot be right by chance.
        last = worker.size - 1
        shared = numbers + worker.rank
        share(shared, f"share.{dtype}", last)
        problems += differences("broadcast", shared, numbers + last)
    return [f"rank {worker.rank} on {worker.host}: {problem}" for problem in problems]
