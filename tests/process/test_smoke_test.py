"""The smoke test under the launcher, and what it says when something is wrong."""

import csv
import signal
import subprocess
import time
from collections.abc import Callable
from pathlib import Path

import pytest
import torch

from elboflow.ranks.by_horovod import adds_with, unfit
from elboflow.ranks.place import Worker
from elboflow.ranks.self_test import differences, misplaced
from elboflow.stages.smoke_test import SIZES

Launch = Callable[..., subprocess.CompletedProcess[str]]
SCRIPTS = Path(__file__).parents[2] / "workflow/scripts"
COLLECTIVES = ("horovod", "torch")


def worker(rank: int, size: int, host: str = "node1", gpu: str = "") -> Worker:
    device = torch.device("cuda" if gpu else "cpu")
    return Worker(rank, size, rank, size, host, device, gpu or "cpu", gpu, 1, "MPI")


def read(path: Path) -> list[dict[str, str]]:
    with path.open() as file:
        return list(csv.DictReader(file))


@pytest.fixture
def script(tmp_path: Path) -> Callable[[str], Path]:
    """A script that has joined the other ranks as `worker` before its own lines run."""

    def write(lines: str) -> Path:
        path = tmp_path / "script.py"
        head = f"import sys\nsys.path.insert(0, {str(SCRIPTS)!r})\n"
        head += "import torch\nfrom elboflow.ranks import collectives, self_test\n"
        head += "from elboflow.ranks.worker import start\n"
        path.write_text(head + lines)
        return path

    return write


@pytest.mark.parametrize(
    ("ranks", "collectives", "adds_with"),
    [
        *((ranks, "horovod", "MPI (Horovod)") for ranks in (1, 2, 4)),
        *((ranks, "torch", "Gloo (torch.distributed)") for ranks in (1, 2)),
    ],
)
def test_tables_have_a_row_per_rank_and_per_size(
    launch: Launch, tmp_path: Path, ranks: int, collectives: str, adds_with: str
) -> None:
    tables = ["--ranks-csv", tmp_path / "ranks.csv", "--allreduce-csv", tmp_path / "allreduce.csv"]
    done = launch(
        SCRIPTS / "smoke_test.py",
        "--repeats",
        1,
        *tables,
        ranks=ranks,
        env={"ELBOFLOW_COLLECTIVES": collectives},
    )
    assert done.returncode == 0, done.stderr
    rows = read(tmp_path / "ranks.csv")
    assert [int(row["rank"]) for row in rows] == list(range(ranks))
    assert {(row["size"], row["threads"]) for row in rows} == {(str(ranks), "1")}
    assert {row["adds_with"] for row in rows} == {adds_with}
    measured = read(tmp_path / "allreduce.csv")
    assert [int(row["bytes"]) for row in measured] == SIZES
    assert all((float(row["bus_bandwidth_gb_per_s"]) == 0) == (ranks == 1) for row in measured)
    printed = [line.split() for line in done.stdout.splitlines() if line]
    assert printed[: ranks + 1] == [
        list(rows[0]),
        *(" ".join(row.values()).split() for row in rows),
    ]


def test_threads_per_rank_hold_whatever_the_shell_says(
    launch: Launch, script: Callable[[str], Path]
) -> None:
    shown = script("start()\nprint(torch.get_num_threads())")
    done = launch(shown, ranks=1, threads=2, env={"OMP_NUM_THREADS": "1"})
    assert done.stdout.split() == ["2"]


def test_another_number_of_ranks_is_one_line(launch: Launch, script: Callable[[str], Path]) -> None:
    done = launch(script("start(ranks=3)\nprint('went on')"))
    (line,) = [text for text in done.stderr.splitlines() if text.startswith("error: ")]
    assert "3 ranks were asked for and 2 joined" in line
    assert done.returncode != 0
    assert "went on" not in done.stdout
    assert "Traceback" not in done.stderr


@pytest.mark.parametrize("collectives", COLLECTIVES)
def test_launcher_of_another_mpi_is_seen(
    launch: Launch, script: Callable[[str], Path], tmp_path: Path, collectives: str
) -> None:
    stranger = tmp_path / "stranger"
    stranger.write_text('#!/bin/sh\nshift 2\nexec "$@"\n')
    stranger.chmod(0o755)
    done = launch(script("start()"), mpi=str(stranger), env={"ELBOFLOW_COLLECTIVES": collectives})
    assert done.returncode != 0
    assert done.stderr.startswith("error: 2 ranks were asked for and 1 joined")


def test_missing_launcher_is_one_line(launch: Launch, script: Callable[[str], Path]) -> None:
    done = launch(script("start()"), mpi="no-such-mpirun -v")
    assert done.returncode != 0
    assert done.stderr.startswith("launch.sh: MPI launcher 'no-such-mpirun' not found")
    assert len(done.stderr.splitlines()) == 1


def test_a_job_has_the_ranks_that_were_submitted_and_not_those_of_the_configuration(
    launch: Launch, script: Callable[[str], Path]
) -> None:
    shown = script("print(f'{start().size}\\n', end='')")
    submitted = {"SNAKEMAKE_QSUB_NODES": "1", "SNAKEMAKE_QSUB_TASKS_PER_NODE": "3"}
    assert launch(shown, ranks=2, env=submitted).stdout.split() == ["3"] * 3


@pytest.mark.parametrize("hosts", ["n1\n", "n1 4 all.q\nn1 4 all.q\n\n", ""])
def test_a_job_on_other_nodes_than_were_submitted_is_one_line(
    launch: Launch, script: Callable[[str], Path], tmp_path: Path, hosts: str
) -> None:
    (tmp_path / "hosts").write_text(hosts)
    job = {"SNAKEMAKE_QSUB_NODES": "2", "SNAKEMAKE_QSUB_HOSTFILE": str(tmp_path / "hosts")}
    done = launch(script("start()"), env=job)
    assert done.returncode == 2
    gave = f"gave {1 if hosts else 0}: "
    assert done.stderr.startswith("launch.sh: 2 nodes were submitted and the scheduler " + gave)
    assert len(done.stderr.splitlines()) == 1


def test_the_list_of_hosts_stands_where_the_launcher_is_told_of_it(
    launch: Launch, script: Callable[[str], Path], tmp_path: Path
) -> None:
    hosts, seen = tmp_path / "the hosts", tmp_path / "seen"
    hosts.write_text("n1\n")
    mpirun = tmp_path / "mpirun"
    mpirun.write_text(f'#!/bin/sh\nprintf "%s\\n" "$@" >{seen}\n')
    mpirun.chmod(0o755)
    job = {"SNAKEMAKE_QSUB_NODES": "1", "SNAKEMAKE_QSUB_HOSTFILE": str(hosts)}
    words = f"{mpirun} --hostfile {{hostfile}} --map-by ppr:{{tasks_per_node}}:node"
    launch(script("start()"), mpi=words, env=job)
    expected = ["--hostfile", str(hosts), "--map-by", "ppr:2:node", "-n", "2", "env"]
    assert seen.read_text().splitlines()[:7] == expected
    outside = launch(script("start()"), mpi=words)
    assert outside.stderr.startswith("launch.sh: --mpi asks for {hostfile}, and this is no job")


def test_ranks_on_fewer_hosts_than_the_job_has_are_a_problem() -> None:
    workers = [worker(0, 2), worker(1, 2)]
    assert misplaced(workers, 2, nodes=1) == []
    (problem,) = misplaced(workers, 2, nodes=2)
    assert problem.startswith("the job has 2 nodes and the ranks run on 1: node1")


def test_wrong_sum_on_one_rank_ends_all(launch: Launch, script: Callable[[str], Path]) -> None:
    lines = """
def add(tensor, name):
    collectives.add(tensor, name)
    tensor += collectives.position()[0] == 1
self_test.add = add
start()
print('went on')
"""
    done = launch(script(lines))
    assert done.returncode != 0
    assert "went on" not in done.stdout
    errors = [text for text in done.stderr.splitlines() if text.startswith("error: ")]
    assert [line.partition(" gave ")[0].split()[-1] for line in errors] == [
        "float32",
        "float64",
        "int64",
    ]
    assert all("rank 1" in line and "allreduce" in line for line in errors)


@pytest.mark.parametrize("collectives", COLLECTIVES)
def test_exception_on_one_rank_ends_all(
    launch: Launch, script: Callable[[str], Path], collectives: str
) -> None:
    lines = """
if start().rank == 1:
    raise ValueError("only here")
collectives.add(torch.ones(1), "ones")
"""
    done = launch(script(lines), env={"ELBOFLOW_COLLECTIVES": collectives})
    assert done.returncode != 0
    assert "ValueError: only here" in done.stderr


@pytest.mark.parametrize("number", [signal.SIGINT, signal.SIGTERM])
def test_signal_to_the_launcher_ends_the_ranks(
    launch_command: Callable[..., list[str]],
    script: Callable[[str], Path],
    number: signal.Signals,
) -> None:
    # One write each: print's are two, between which the other rank may get a word in.
    lines = "import os, time\nstart()\nos.write(1, b'%d\\n' % os.getpid())\ntime.sleep(600)"
    with subprocess.Popen(
        launch_command(script(lines)), stdout=subprocess.PIPE, stderr=subprocess.DEVNULL, text=True
    ) as process:
        try:
            assert process.stdout is not None
            ranks = [int(process.stdout.readline()) for _ in range(2)]
            process.send_signal(number)
            assert process.wait(timeout=60) != 0
        finally:
            process.kill()
    deadline = time.monotonic() + 30
    while any(Path(f"/proc/{rank}").exists() for rank in ranks):
        assert time.monotonic() < deadline, f"still there: {ranks}"
        time.sleep(0.1)


def test_a_horovod_for_cpus_is_refused_on_a_gpu(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr("elboflow.ranks.by_horovod.hvd.nccl_built", lambda: 0)
    (problem,) = unfit(torch.device("cuda"))
    assert "this is a GPU run and Horovod was built for CPUs only (without NCCL)" in problem
    monkeypatch.setattr("elboflow.ranks.by_horovod.hvd.nccl_built", lambda: 22705)
    assert unfit(torch.device("cuda")) == []
    assert adds_with(torch.device("cuda")) == "NCCL 2.27.5 (Horovod)"


def test_a_gpu_that_was_insisted_on_and_is_not_there_is_one_line(
    launch: Launch, script: Callable[[str], Path]
) -> None:
    hidden = {"ELBOFLOW_GPU": "cuda", "CUDA_VISIBLE_DEVICES": ""}
    done = launch(script("start()"), env=hidden)
    assert done.returncode != 0
    assert done.stderr.startswith("error: environment.gpu is cuda, and no GPU is seen here")
    odd = launch(script("start()"), env={"ELBOFLOW_GPU": "yes"})
    assert odd.stderr == "launch.sh: ELBOFLOW_GPU must be auto, cuda or none, not 'yes'\n"
    odd = launch(script("start()"), env={"ELBOFLOW_COLLECTIVES": "mpi"})
    assert odd.stderr == "launch.sh: ELBOFLOW_COLLECTIVES must be horovod or torch, not 'mpi'\n"


def test_gpu_shared_by_two_ranks_is_named() -> None:
    workers = [worker(0, 3, gpu="A"), worker(1, 3, gpu="A"), worker(2, 3, host="node2", gpu="A")]
    (problem,) = misplaced(workers, asked=3)
    assert problem.startswith("2 ranks share GPU A of node1")


def test_ranks_without_gpu_are_named() -> None:
    (problem,) = misplaced([worker(0, 2, gpu="A"), worker(1, 2, host="node2")], asked=2)
    assert "node2" in problem
    assert "node1" not in problem


def test_ranks_must_be_complete_and_unique() -> None:
    assert misplaced([worker(0, 2), worker(1, 2)], asked=2) == []
    (problem,) = misplaced([worker(0, 2), worker(0, 2)], asked=2)
    assert "each once" in problem


def test_differences_see_value_and_dtype() -> None:
    expected = torch.tensor([1, 2])
    assert differences("allreduce", expected.clone(), expected) == []
    assert "gave [1, 3], not [1, 2]" in differences("allreduce", torch.tensor([1, 3]), expected)[0]
    assert differences("allreduce", expected.double(), expected) != []
