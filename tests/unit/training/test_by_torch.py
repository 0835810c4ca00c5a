"""How ranks of torch.distributed are numbered and find each other."""

import socket
import threading

import pytest
import torch.distributed as dist

from elboflow.ranks import by_torch
from elboflow.ranks.by_torch import NotJoined, meet, numbers, unreachable_host

OF_MPI = {"OMPI_COMM_WORLD_RANK": "3", "OMPI_COMM_WORLD_SIZE": "8"}
HERE = socket.gethostname()


@pytest.mark.parametrize(
    ("environment", "place"),
    [
        (OF_MPI, (3, 8)),
        ({"PMI_RANK": "1", "PMI_SIZE": "2"}, (1, 2)),
        ({"SLURM_PROCID": "5", "SLURM_STEP_NUM_TASKS": "6"}, (5, 6)),
        ({"SLURM_PROCID": "0", "SLURM_STEP_NUM_TASKS": "1", **OF_MPI}, (3, 8)),
        ({"SLURM_PROCID": "0", "SLURM_NTASKS": "4"}, (0, 1)),
        ({}, (0, 1)),
    ],
)
def test_the_launcher_numbers_the_ranks(environment, place):
    assert numbers(environment) == place


def test_ranks_meet_in_a_file_and_know_each_others_hosts(tmp_path, monkeypatch):
    monkeypatch.setenv("ELBOFLOW_STALL_SECONDS", "60")
    found = {}

    def come(rank):
        found[rank] = meet(dist.FileStore(str(tmp_path / "file"), 2), rank, 2)

    threads = [threading.Thread(target=come, args=(rank,)) for rank in (1, 0)]
    for thread in threads:
        thread.start()
    for thread in threads:
        thread.join()
    assert found == {0: [HERE, HERE], 1: [HERE, HERE]}


def test_a_rank_that_does_not_come_is_named(tmp_path, monkeypatch):
    monkeypatch.setenv("ELBOFLOW_STALL_SECONDS", "1")
    with pytest.raises(NotJoined, match=rf"rank 0 has not joined rank 1 on {HERE} within 1 sec"):
        meet(dist.FileStore(str(tmp_path / "file"), 2), 1, 2)


def test_ranks_are_counted_on_each_host(monkeypatch):
    monkeypatch.setattr(by_torch, "_hosts", ["b", "a", "b", "a", "b"])
    monkeypatch.setattr(dist, "get_rank", lambda: 4)
    assert by_torch.position() == (4, 5, 2, 3)


@pytest.mark.parametrize(
    ("hosts", "address", "interface", "told"),
    [
        (["a", "b"], "127.0.1.1", "", True),
        (["a", "a"], "127.0.1.1", "", False),
        (["a", "b"], "10.0.0.1", "", False),
        (["a", "b"], "127.0.1.1", "ib0", False),
    ],
)
def test_a_host_that_others_cannot_reach_is_named(monkeypatch, hosts, address, interface, told):
    monkeypatch.setenv("GLOO_SOCKET_IFNAME", interface)
    monkeypatch.setattr(socket, "gethostbyname", lambda _: address)
    found = unreachable_host(hosts)
    assert (f"the name of host {HERE} stands there for 127.0.1.1" in found) == told
    assert bool(found) == told
