"""See that the launcher, Horovod and the network work; measure how fast ranks add numbers.

    workflow/scripts/launch.sh --nodes 1 --tasks-per-node 2 --threads-per-rank 1 --mpi mpirun \
        --venv results/environment/venv -- workflow/scripts/smoke_test.py \
        --repeats 20 --ranks-csv ranks.csv --allreduce-csv allreduce.csv

Other programs under the launcher begin with `worker = start()`, which checks the same.
"""

import argparse
import csv
import os
import socket
import statistics
import sys
import time
import traceback
from collections import Counter
from dataclasses import dataclass
from pathlib import Path
from types import TracebackType
from typing import NoReturn

import horovod.torch as hvd
import torch
from torch import Tensor

SIZES = [1024 * 4**power for power in range(9)]  # bytes: 1 KiB to 64 MiB
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


def start(ranks: int | None = None) -> Worker:
    """Join the other ranks, choose the device, and check that all of it works.

    Args:
        ranks: how many there must be; by default what the launcher was asked for.

    A problem ends all ranks with a line each for what is wrong.
    """
    # Horovod: connects the ranks; no other hvd call may come before.
    hvd.init()
    sys.excepthook = _end_all_ranks
    # Cheap in comparison with a result that no one can repeat. cuBLAS wants its variable as well.
    os.environ.setdefault("CUBLAS_WORKSPACE_CONFIG", ":4096:8")
    torch.use_deterministic_algorithms(True)
    torch.set_num_threads(int(os.environ.get("OMP_NUM_THREADS", "1")))
    worker = _find_place()
    asked = ranks or int(os.environ.get("ELBOFLOW_RANKS", worker.size))
    # Horovod: every rank sees the same list, so that all of them stop or none.
    workers = hvd.allgather_object(worker)
    problems = misplaced(workers, asked) + missing_operation(worker.device)
    if not problems:
        problems = [
            line for rank in hvd.allgather_object(wrong_operations(worker)) for line in rank
        ]
    if problems:
        _stop(problems, worker.rank)
    return worker


def _find_place() -> Worker:
    """This process's place. The nth rank of a host takes the nth GPU that it can see."""
    device, gpu, name = torch.device("cpu"), "", "cpu"
    if torch.cuda.is_available():
        # Horovod: ranks of one host are told apart by local_rank.
        device = torch.device("cuda", hvd.local_rank() % torch.cuda.device_count())
        torch.cuda.set_device(device)
        properties = torch.cuda.get_device_properties(device)
        gpu, name = str(properties.uuid), properties.name
    return Worker(
        hvd.rank(), hvd.size(), hvd.local_rank(), hvd.local_size(), socket.gethostname(),
        device, name, gpu, torch.get_num_threads(),
    )  # fmt: skip


def misplaced(workers: list[Worker], asked: int) -> list[str]:
    """What is wrong with who is there: number, ranks, devices."""
    problems = []
    if len(workers) != asked:
        problems.append(
            f"{asked} ranks were asked for and Horovod sees {len(workers)}: the launcher starts "
            "another number, or is not of the MPI that Horovod was built with"
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


def missing_operation(device: torch.device) -> list[str]:
    """Nothing, or that Horovod was built without what this kind of device needs."""
    # Horovod: NCCL adds numbers on GPUs; MPI or Gloo on CPUs.
    if device.type == "cuda" and not hvd.nccl_built():
        return [
            "Horovod was built without NCCL and cannot add on GPUs: build the environment with "
            "HOROVOD_GPU_OPERATIONS=NCCL, or hide the GPUs with CUDA_VISIBLE_DEVICES="
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


def measure(worker: Worker, size: int, repeats: int) -> tuple[int, float, float]:
    """Time an allreduce of `size` bytes of float32.

    Returns:
        Bytes, median latency in us, bus bandwidth in GB/s: the bytes that pass a rank's slowest
        link, 2 (n - 1) / n of the size, over the time; 0 for one rank.
    """
    numbers = torch.zeros(size // 4, device=worker.device)
    seconds = []
    for _ in range(repeats + 1):
        began = time.perf_counter()
        # Horovod: in place, and under one name, as a training step does it.
        hvd.allreduce_(numbers, op=hvd.Sum, name=f"measure.{size}")
        if worker.gpu:
            torch.cuda.synchronize()
        seconds.append(time.perf_counter() - began)
    median = statistics.median(seconds[1:])  # the first one agrees on the name
    bandwidth = 2 * (worker.size - 1) / worker.size * size / median
    return size, median * 1e6, bandwidth / 1e9


def show(header: list[str], rows: list[list[str]]) -> None:
    """Print a table with aligned columns."""
    widths = [max(map(len, column)) for column in zip(header, *rows, strict=True)]
    for row in [header, *rows]:
        print("  ".join(f"{cell:>{width}}" for cell, width in zip(row, widths, strict=True)))
    print(flush=True)


def report(path: Path, header: list[str], rows: list[list[str]]) -> None:
    """Print the table and write it as CSV."""
    show(header, rows)
    with path.open("w", newline="") as file:
        csv.writer(file, lineterminator="\n").writerows([header, *rows])


def parse_arguments() -> argparse.Namespace:
    parser = argparse.ArgumentParser(description=__doc__.partition("\n")[0])
    parser.add_argument("--repeats", type=int, required=True, help="times to measure each size")
    parser.add_argument("--ranks-csv", type=Path, required=True, help="written: one row a rank")
    parser.add_argument("--allreduce-csv", type=Path, required=True,
                        help="written: latency and bus bandwidth against size")  # fmt: skip
    return parser.parse_args()


def main() -> None:
    arguments = parse_arguments()
    worker = start()
    # Horovod: rank 0 alone prints and writes, for all.
    workers = hvd.allgather_object(worker)
    measured = [measure(worker, size, arguments.repeats) for size in SIZES]
    if worker.rank:
        return
    columns = ["rank", "size", "local_rank", "local_size", "host", "device", "threads"]
    values = [{**vars(each), "device": each.device_name} for each in workers]
    report(arguments.ranks_csv, columns, [[str(row[name]) for name in columns] for row in values])
    columns = ["bytes", "latency_us", "bus_bandwidth_gb_per_s"]
    report(arguments.allreduce_csv, columns,
           [[str(size), f"{us:.1f}", f"{gb:.3f}"] for size, us, gb in measured])  # fmt: skip


if __name__ == "__main__":
    main()
