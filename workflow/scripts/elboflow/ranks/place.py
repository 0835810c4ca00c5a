"""A rank's place among the others, and the device that it computes on."""

import os
import socket
from dataclasses import dataclass

import horovod.torch as hvd
import torch

from elboflow.environment.cuda import readable_version


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


def wanted_gpu() -> str:
    """The configuration's environment.gpu: auto, cuda or none."""
    return os.environ.get("ELBOFLOW_GPU", "auto")


def find_place() -> Worker:
    """This process's place. The nth rank of a host takes the nth GPU that it can see."""
    device, gpu, name = torch.device("cpu"), "", "cpu"
    if torch.cuda.is_available() and wanted_gpu() != "none":
        # Horovod: ranks of one host are told apart by local_rank.
        device = torch.device("cuda", hvd.local_rank() % torch.cuda.device_count())
        torch.cuda.set_device(device)
        properties = torch.cuda.get_device_properties(device)
        gpu, name = str(properties.uuid), properties.name
    return Worker(
        *(hvd.rank(), hvd.size(), hvd.local_rank(), hvd.local_size(), socket.gethostname()),
        *(device, name, gpu, torch.get_num_threads(), adds_with(device)),
    )


def adds_with(device: torch.device) -> str:
    """The library with which Horovod adds the numbers of such devices, with NCCL's version."""
    # Horovod: nccl_built() is 0, or NCCL's version as one number.
    if device.type == "cuda" and (code := hvd.nccl_built()):
        return f"NCCL {readable_version(code)}"
    return "MPI" if hvd.mpi_enabled() else "Gloo"
