"""How a rank joins the others, sees that all is well, and ends with them.

Every program under the launcher begins with `worker = start()` and ends with `leave()`.
"""

import contextlib
import ctypes
import os
import signal
import sys
import time
import traceback
from types import TracebackType
from typing import NoReturn

import torch

from elboflow.ranks.collectives import gather, join, part
from elboflow.ranks.place import Worker, find_place, wanted_gpu
from elboflow.ranks.self_test import misplaced, unfit_device, wrong_operations
from elboflow.vae.arithmetic import set_deterministic

M_TRIM_THRESHOLD, M_MMAP_THRESHOLD = -1, -3  # of glibc's malloc.h


def start(ranks: int | None = None) -> Worker:
    """Join the other ranks, choose the device, and check that all of it works.

    Args:
        ranks: how many there must be; by default what the launcher was asked for.

    A problem ends all ranks with a line each for what is wrong.
    """
    # A scheduler's warnings of a kill to come; the time to save is known without them.
    for warning in (signal.SIGUSR1, signal.SIGUSR2):
        signal.signal(warning, signal.SIG_IGN)
    join()
    sys.excepthook = _end_all_ranks
    # Cheap in comparison with a result that no one can repeat. cuBLAS wants its variable as well.
    os.environ.setdefault("CUBLAS_WORKSPACE_CONFIG", ":4096:8")
    set_deterministic(True)
    torch.set_num_threads(int(os.environ.get("OMP_NUM_THREADS", "1")))
    _keep_freed_memory()
    worker = find_place()
    asked = ranks or int(os.environ.get("ELBOFLOW_RANKS", worker.size))
    # Every rank sees the same list, so that all of them stop or none.
    workers = gather(worker)
    nodes = int(os.environ.get("ELBOFLOW_NODES", "0"))
    problems = misplaced(workers, asked, nodes) + unfit_device(worker.device, wanted_gpu())
    if not problems:
        problems = [line for rank in gather(wrong_operations(worker)) for line in rank]
    if problems:
        _stop(problems, worker.rank)
    return worker


def _keep_freed_memory() -> None:
    """Have glibc keep up to 1 GB that is freed: each page that is asked for again is a fault.

    A step frees and takes megabytes, and by default most of them go to the system and back.
    """
    with contextlib.suppress(AttributeError):  # another C library
        mallopt = ctypes.CDLL(None).mallopt
        mallopt(M_TRIM_THRESHOLD, 1 << 30)
        mallopt(M_MMAP_THRESHOLD, 32 << 20)  # the largest that it takes


def leave() -> NoReturn:
    """Part from the other ranks and end, without the half second that Python takes to clear up."""
    part()
    sys.stdout.flush()
    sys.stderr.flush()
    os._exit(0)


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
