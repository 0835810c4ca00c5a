"""A rank's place among the others, and the device that it computes on."""

import os
import socket
from dataclasses import dataclass

import torch

from elboflow.ranks.collectives import adds_with, position


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
    adds_with: str  # what adds the numbers of these devices


def wanted_gpu() -> str:
    """The configuration's environment.gpu: auto, cuda or none."""
    return os.environ.get("ELBOFLOW_GPU", "auto")


def find_place() -> Worker:
    """This process's place. The nth rank of a host takes the nth GPU that it can see."""
    rank, size, local_rank, local_size = position()
    device, gpu, name = torch.device("cpu"), "", "cpu"
    if torch.cuda.is_available() and wanted_gpu() != "none":
        device = torch.device("cuda", local_rank % torch.cuda.device_count())
        torch.cuda.set_device(device)
        properties = torch.cuda.get_device_properties(device)
        gpu, name = str(properties.uuid), properties.name
    return Worker(
        *(rank, size, local_rank, local_size, socket.gethostname()),
        *(device, name, gpu, torch.get_num_threads(), adds_with(device)),
    )
