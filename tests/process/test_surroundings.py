"""What mpirun and the ranks see of the shell that a user starts them from."""

import json
import os
import socket
import subprocess
import sys
import time
from collections.abc import Callable
from pathlib import Path

import pytest

Launch = Callable[..., subprocess.CompletedProcess[str]]
SHOW = """
import json, os, sys
shown = {"path": sys.path, "environment": dict(os.environ), "encoding": sys.getfilesystemencoding()}
print(json.dumps(shown))
"""
HOSTILE = {
    "PYTHONHOME": "/nowhere",
    "PYTHONPATH": "/of/another/project",
    "PYTHONSAFEPATH": "1",
    "OMP_DYNAMIC": "true",
    "OMP_THREAD_LIMIT": "1",
    "MKL_CBWR": "COMPATIBLE",
    "ATEN_CPU_CAPABILITY": "default",
    "NPY_DISABLE_CPU_FEATURES": "AVX2",
    "ONEDNN_DEFAULT_FPMATH_MODE": "BF16",
    "NVIDIA_TF32_OVERRIDE": "1",
    "LC_ALL": "tr_TR.ISO-8859-9",
    "LANGUAGE": "tr",
    "MPLBACKEND": "nonsense",
}


@pytest.fixture
def show(tmp_path: Path) -> Path:
    """A script that prints what it sees, as JSON."""
    (tmp_path / "script.py").write_text(SHOW)
    return tmp_path / "script.py"


def seen(done: subprocess.CompletedProcess[str]) -> dict:
    assert done.returncode == 0, done.stderr
    return json.loads(done.stdout)


def program(path: Path, text: str) -> str:
    path.write_text(f"#!/bin/bash\n{text}\n")
    path.chmod(0o755)
    return str(path)


@pytest.mark.fault(
    "variables of the shell that change Python, numerics or language",
    outcome="no rank sees them, on whatever host",
)
@pytest.mark.parametrize("where", ["here", "on another host"])
def test_no_rank_sees_what_changes_results(
    launch: Launch, show: Path, tmp_path: Path, where: str
) -> None:
    """Another host's shell may have read a .bashrc of its own."""
    exports = "\n".join(f"export {name}={value}" for name, value in HOSTILE.items())
    there = program(tmp_path / "there", f'{exports}\nshift 2\nexec "$@"')
    here = {"mpi": "mpirun", "env": HOSTILE}
    shown = seen(launch(show, ranks=1, **(here if where == "here" else {"mpi": there})))
    environment = shown["environment"]
    assert {name: environment.get(name) for name in HOSTILE} == {
        **dict.fromkeys(HOSTILE),
        "LC_ALL": "C.UTF-8",
    }
    assert shown["path"][0] == str(show.parent)
    assert "/of/another/project" not in shown["path"]
    assert (environment["OMP_NUM_THREADS"], shown["encoding"]) == ("1", "utf-8")


@pytest.mark.fault(
    "CDPATH, BASH_ENV, noclobber, posix mode, exported functions in the shell",
    outcome="the launcher starts the ranks as ever",
)
@pytest.mark.parametrize("name", ["CDPATH", "BASH_ENV", "SHELLOPTS", "POSIXLY_CORRECT", "function"])
def test_settings_of_a_shell_do_not_reach_the_launcher(
    launch_command: Callable[..., list[str]], show: Path, tmp_path: Path, name: str
) -> None:
    (tmp_path / "log").write_text("of the last time")
    (tmp_path / "profile").write_text("echo from the profile; cd /\n")
    hostile = {
        "CDPATH": ("CDPATH", f"{Path.cwd()}:/"),
        "BASH_ENV": ("BASH_ENV", str(tmp_path / "profile")),
        "SHELLOPTS": ("SHELLOPTS", "noclobber:noglob:verbose"),
        "POSIXLY_CORRECT": ("POSIXLY_CORRECT", "1"),
        "function": ("BASH_FUNC_cd%%", "() {  echo function; builtin cd /\n}"),
    }[name]
    words = launch_command(show, ranks=1, venv=os.path.relpath(sys.prefix))
    words[words.index("--") : words.index("--")] = ["--log", str(tmp_path / "log")]
    done = subprocess.run(
        words, env=os.environ | dict([hostile]), capture_output=True, text=True, timeout=120
    )
    assert seen(done)["environment"]["ELBOFLOW_RANKS"] == "1"


def deadline(done: subprocess.CompletedProcess[str]) -> str | None:
    return seen(done)["environment"].get("ELBOFLOW_DEADLINE")


STALE = {
    "an end in the past": {"SLURM_JOB_END_TIME": "1700000000", "SLURM_JOB_NODELIST": "HOST"},
    "hosts of another job": {"SLURM_JOB_END_TIME": "FUTURE", "SLURM_JOB_NODELIST": "gone[01-4]"},
    "no number": {"SLURM_JOB_END_TIME": "tomorrow", "SLURM_JOB_NODELIST": "HOST"},
    "PBS": {"PBS_JOBID": "7.pbs", "PBS_ENVIRONMENT": "PBS_BATCH", "PBS_NODEFILE": "/nowhere"},
    "Grid Engine": {"PE_HOSTFILE": "/nowhere", "JOB_ID": "7", "ARC": "x", "SGE_ROOT": "/"},
    "a deadline of ours": {"ELBOFLOW_DEADLINE": "1700000000", "ELBOFLOW_NODES": "5"},
    "an mpirun": {"OMPI_COMM_WORLD_SIZE": "8", "PMIX_RANK": "3", "OMPI_MCA_ess": "pmi"},
    "horovodrun": {"HOROVOD_CONTROLLER": "gloo", "HOROVOD_RANK": "1", "HOROVOD_SIZE": "2"},
}


def of_today(variables: dict[str, str]) -> dict[str, str]:
    changes = {"HOST": socket.gethostname(), "FUTURE": str(int(time.time()) + 3600)}
    return {name: changes.get(value, value) for name, value in variables.items()}


@pytest.mark.fault(
    "variables of a Slurm, PBS or Grid Engine job, or of an mpirun, left in the shell",
    outcome="they are taken for what they are: the ranks start here, with no end",
)
@pytest.mark.parametrize("left", STALE)
def test_leftovers_of_a_job_are_no_job(launch: Launch, tmp_path: Path, left: str) -> None:
    script = tmp_path / "script.py"
    script.write_text(
        f"import horovod.torch as hvd\nhvd.init()\nif hvd.rank():\n    exit()\n{SHOW}"
    )
    environment = seen(launch(script, ranks=2, env=of_today(STALE[left])))["environment"]
    assert environment["OMPI_COMM_WORLD_SIZE"] == "2"
    assert "ELBOFLOW_DEADLINE" not in environment
    assert "ELBOFLOW_NODES" not in environment
    assert not [name for name in environment if name.startswith(("SLURM_", "PBS_", "PE_HOST"))]


@pytest.mark.parametrize(
    ("seconds", "margin"), [(3600, 120), (60, 30), (None, None)], ids=["long", "short", "endless"]
)
def test_slurm_is_asked_for_the_hosts_and_the_end_of_its_job(
    launch: Launch, show: Path, tmp_path: Path, seconds: int | None, margin: int | None
) -> None:
    """Its plugin for Snakemake leaves the job no more than its id."""
    start = int(time.time())
    end = start + seconds if seconds else "N/A"
    program(
        tmp_path / "squeue", f'[ "$SLURM_TIME_FORMAT" ] && echo "2 g[1-2] {start} {end}" || echo 7'
    )
    environment = {"SLURM_JOB_ID": "7", "PATH": f"{tmp_path}{os.pathsep}{os.environ['PATH']}"}
    stand_in = program(tmp_path / "start", 'shift 2\nexec "$@"')
    seen_by_rank = seen(launch(show, ranks=1, mpi=stand_in, env=environment))["environment"]
    told = {name: seen_by_rank.get(name) for name in ("SLURM_NODELIST", "SLURM_TASKS_PER_NODE")}
    assert told == {"SLURM_NODELIST": "g[1-2]", "SLURM_TASKS_PER_NODE": "1(x2)"}
    expected = None if seconds is None else str(end - margin)
    assert seen_by_rank.get("ELBOFLOW_DEADLINE") == expected


def test_more_nodes_than_slurm_gave_are_one_line(
    launch_command: Callable[..., list[str]], show: Path, tmp_path: Path
) -> None:
    program(tmp_path / "squeue", "echo 1 g1 1700000000 N/A")
    path = f"{tmp_path}{os.pathsep}{os.environ['PATH']}"
    words = launch_command(show, ranks=1)
    words[words.index("--nodes") + 1] = "2"
    done = subprocess.run(
        words,
        env=os.environ | {"SLURM_JOB_ID": "7", "PATH": path},
        capture_output=True,
        text=True,
        timeout=60,
    )
    assert done.returncode == 2
    assert done.stderr == "launch.sh: 2 nodes were asked for and the Slurm job has 1: g1\n"


def test_a_job_that_slurm_does_not_know_is_no_job(
    launch: Launch, show: Path, tmp_path: Path
) -> None:
    program(
        tmp_path / "squeue", 'echo "slurm_load_jobs error: Invalid job id specified" >&2; exit 1'
    )
    left = {"SLURM_JOB_ID": "7", "SLURM_JOB_NODELIST": socket.gethostname()}
    path = {"PATH": f"{tmp_path}{os.pathsep}{os.environ['PATH']}"}
    stand_in = program(tmp_path / "start", 'shift 2\nexec "$@"')
    assert deadline(launch(show, ranks=1, mpi=stand_in, env=left | path)) is None


@pytest.mark.fault(
    "the Python of the training environment is gone", outcome="one line: what to type"
)
def test_an_environment_whose_python_is_gone_is_one_line(
    launch_command: Callable[..., list[str]], show: Path, tmp_path: Path
) -> None:
    (tmp_path / "venv/bin").mkdir(parents=True)
    (tmp_path / "venv/bin/python").symlink_to("/usr/bin/python3.of.last.year")
    words = launch_command(show, venv=str(tmp_path / "venv"))
    done = subprocess.run(words, capture_output=True, text=True, timeout=60)
    assert done.returncode == 2
    (line,) = done.stderr.splitlines()
    assert line.startswith("launch.sh: no training environment that works at ")
    assert "--forcerun build_environment" in line
