"""See that the launcher and the network work; measure how fast ranks add numbers."""

import argparse
import csv
import io
import statistics
import time

import torch

from elboflow.files.stage_outputs import write_outputs
from elboflow.ranks.collectives import add, gather
from elboflow.ranks.place import Worker

SIZES = [1024 * 4**power for power in range(9)]  # bytes: 1 KiB to 64 MiB


def time_allreduce(worker: Worker, size: int, repeats: int) -> tuple[int, float, float]:
    """Time an allreduce of `size` bytes of float32.

    Returns:
        Bytes, median latency in us, bus bandwidth in GB/s: the bytes that pass a rank's slowest
        link, 2 (n - 1) / n of the size, over the time; 0 for one rank.
    """
    numbers = torch.zeros(size // 4, device=worker.device)
    seconds = []
    for _ in range(repeats + 1):
        began = time.perf_counter()
        add(numbers, f"measure.{size}")  # in place and under one name, as in a training step
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


def report(header: list[str], rows: list[list[str]]) -> bytes:
    """Print the table, and give it as CSV."""
    show(header, rows)
    buffer = io.StringIO()
    csv.writer(buffer, lineterminator="\n").writerows([header, *rows])
    return buffer.getvalue().encode()


def smoke_test(args: argparse.Namespace, worker: Worker) -> None:
    """Measure, and on rank 0 print and write both tables."""
    workers = gather(worker)  # rank 0 alone prints and writes, for all
    measured = [time_allreduce(worker, size, args.repeats) for size in SIZES]
    if worker.rank:
        return
    columns = ["rank", "size", "local_rank", "local_size", "host", "device", "threads", "adds_with"]
    values = [{**vars(each), "device": each.device_name} for each in workers]
    ranks = report(columns, [[str(row[name]) for name in columns] for row in values])
    columns = ["bytes", "latency_us", "bus_bandwidth_gb_per_s"]
    speeds = report(columns, [[str(size), f"{us:.1f}", f"{gb:.3g}"] for size, us, gb in measured])
    tables = {args.ranks_csv: ranks, args.allreduce_csv: speeds}
    write_outputs({}, {}, unrecorded=tables)
