"""One of the ranks that work together: joins the others, checks that all is well, ends with them.

Every program under the launcher begins with `worker = start()`.
"""

import atexit
import contextlib
import json
import os
import signal
import socket
import sys
import time
import traceback
from collections import Counter
from dataclasses import dataclass
from pathlib import Path
from types import TracebackType
from typing import Any, NoReturn

import horovod.torch as hvd
import torch
from cuda_build import readable_version
from rank_signs import AT_EXIT
from torch import Tensor

DTYPES = (torch.float32, torch.float64, torch.int64)


@dataclass(frozen=True)
class Worker:
    """One of the processes that work together: its place among them and its device."""

    rank: int
    size: int
    local_rank: int
    local_size: int
    host: str
    device: torch.device
    device_name: str
    gpu: str  # identifies the GPU on its host; empty on a CPU
    threads: int
    adds_with: str  # what Horovod adds these devices' numbers with


def start(ranks: int | None = None) -> Worker:
    """Join the other ranks, choose the device, and check that all of it works.

    Args:
        ranks: how many there must be; by default what the launcher was asked for.

    A problem ends all ranks with a line each for what is wrong.
    """
    # A scheduler's warnings of a kill to come; the time to save is known without them.
    for warning in (signal.SIGUSR1, signal.SIGUSR2):
        signal.signal(warning, signal.SIG_IGN)
    # Horovod: connects the ranks; no other hvd call may come before.
    hvd.init()
    atexit.register(_tell_of_exit)  # before Horovod's own, which waits for the other ranks
    sys.excepthook = _end_all_ranks
    # Cheap in comparison with a result that no one can repeat. cuBLAS wants its variable as well.
    os.environ.setdefault("CUBLAS_WORKSPACE_CONFIG", ":4096:8")
    torch.use_deterministic_algorithms(True)
    torch.set_num_threads(int(os.environ.get("OMP_NUM_THREADS", "1")))
    worker = _find_place()
    asked = ranks or int(os.environ.get("ELBOFLOW_RANKS", worker.size))
    # Horovod: every rank sees the same list, so that all of them stop or none.
    workers = hvd.allgather_object(worker)
    nodes = int(os.environ.get("ELBOFLOW_NODES", "0"))
    problems = misplaced(workers, asked, nodes) + unfit_device(worker.device, wanted_gpu())
    if not problems:
        problems = [
            line for rank in hvd.allgather_object(wrong_operations(worker)) for line in rank
        ]
    if problems:
        _stop(problems, worker.rank)
    return worker


def _tell_of_exit() -> None:
    """Tell this rank's watchdog that it now rests while others work."""
    if sign := os.environ.get("ELBOFLOW_SIGN"):
        with contextlib.suppress(OSError):
            Path(sign + AT_EXIT).touch()


def wanted_gpu() -> str:
    """The configuration's environment.gpu: auto, cuda or none."""
    return os.environ.get("ELBOFLOW_GPU", "auto")


def _find_place() -> Worker:
    """This process's place. The nth rank of a host takes the nth GPU that it can see."""
    device, gpu, name = torch.device("cpu"), "", "cpu"
    if torch.cuda.is_available() and wanted_gpu() != "none":
        # Horovod: ranks of one host are told apart by local_rank.
        device = torch.device("cuda", hvd.local_rank() % torch.cuda.device_count())
        torch.cuda.set_device(device)
        properties = torch.cuda.get_device_properties(device)
        gpu, name = str(properties.uuid), properties.name
    return Worker(
        hvd.rank(), hvd.size(), hvd.local_rank(), hvd.local_size(), socket.gethostname(),
        device, name, gpu, torch.get_num_threads(), adds_with(device),
    )  # fmt: skip


def adds_with(device: torch.device) -> str:
    """The library with which Horovod adds the numbers of such devices, with NCCL's version."""
    # Horovod: nccl_built() is 0, or NCCL's version as one number.
    if device.type == "cuda" and (code := hvd.nccl_built()):
        return f"NCCL {readable_version(code)}"
    return "MPI" if hvd.mpi_enabled() else "Gloo"


def misplaced(workers: list[Worker], asked: int, nodes: int = 0) -> list[str]:
    """What is wrong with who is there: number, ranks, hosts, devices.

    Args:
        nodes: how many hosts a scheduler gave for this; 0 where any number will do.
    """
    problems = []
    if len(workers) != asked:
        problems.append(
            f"{asked} ranks were asked for and Horovod sees {len(workers)}: the launcher starts "
            "another number, or is not of the MPI that Horovod was built with"
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
    """Nothing, or that the device is not the wanted one, or that Horovod cannot add on it."""
    if wanted == "cuda" and device.type != "cuda":
        return [
            "environment.gpu is cuda, and no GPU is seen here: run on a GPU node, or set it to none"
        ]
    # Horovod: NCCL adds numbers on GPUs; MPI or Gloo on CPUs.
    if device.type == "cuda" and not hvd.nccl_built():
        return [
            "this is a GPU run and Horovod was built for CPUs only (without NCCL): build the "
            "environment on a GPU node with environment.gpu: cuda, or set it to none to train on "
            "CPUs"
        ]
    if not (hvd.mpi_built() or hvd.gloo_built() or device.type == "cuda"):
        return ["Horovod was built with neither MPI nor Gloo: build the environment again"]
    return []


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
        # Horovod: Sum, not the default Average, which is not defined for whole numbers.
        total = hvd.allreduce(numbers + worker.rank, op=hvd.Sum, name=f"sum.{dtype}")
        expected = numbers * worker.size + worker.size * (worker.size - 1) // 2
        problems += differences("allreduce", total, expected)
        # Horovod: from the last rank, so that rank 0 cannot be right by chance.
        last = worker.size - 1
        shared = hvd.broadcast(numbers + worker.rank, root_rank=last, name=f"share.{dtype}")
        problems += differences("broadcast", shared, numbers + last)
    return [f"rank {worker.rank} on {worker.host}: {problem}" for problem in problems]


def _stop(problems: list[str], rank: int) -> NoReturn:
    """Rank 0 says what is wrong; the others leave it the time to."""
    if rank == 0:
        print(*(f"error: {problem}" for problem in problems), sep="\n", file=sys.stderr, flush=True)
    else:
        time.sleep(2)
    os._exit(1)


def _end_all_ranks(
    kind: type[BaseException], error: BaseException, trace: TracebackType | None
) -> None:
    """End at once: a normal exit waits for ranks that may wait for this one."""
    traceback.print_exception(kind, error, trace)
    sys.stdout.flush()
    sys.stderr.flush()
    os._exit(1)


def record_of_speed(
    worker: Worker, run: str, seed: int, images: int, seconds: float, **more: Any
) -> bytes:
    """What a program took, as JSON; all ranks must call it."""
    # Horovod: hosts are known to their own ranks only.
    hosts = hvd.allgather_object(worker.host)
    document = {
        "run": run,
        "seed": seed,
        "ranks": worker.size,
        "threads_per_rank": worker.threads,
        "hosts": sorted(set(hosts)),
        "device": worker.device_name,
        "images_per_second": images / seconds if seconds else None,
        "seconds": seconds,
        "images": images,
        **more,
    }
    return (json.dumps(document, indent=2) + "\n").encode()
