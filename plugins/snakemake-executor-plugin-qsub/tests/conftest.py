"""Answers of real schedulers, records, and Snakemake on the stand-in for PBS."""

import os
import re
import signal
import subprocess
import sys
import time
from collections.abc import Callable
from pathlib import Path

import pytest
from snakemake_executor_plugin_qsub.commands import Answer
from snakemake_executor_plugin_qsub.journal import Journal
from snakemake_executor_plugin_qsub.record import Record

HERE = Path(__file__).parent
STAND_IN = HERE / "pbs_stand_in"
SUBMIT = (
    "qsub -P $GROUP -q {queue} -l select={nodes}:mpiprocs={tasks_per_node} -l walltime={walltime} "
    "-N {name} -j oe -o {log} {script}"
)
ONE_JOB = """
rule job:
    output: "done"
    resources: runtime=10
    shell: {command!r}
"""


def read_answer(scheduler: str, name: str) -> Answer:
    """A captured answer: the command, its stdout, its stderr, its exit code."""
    text = (HERE / scheduler / f"{name}.txt").read_text()
    _, stdout, stderr, code = re.fullmatch(
        r"\$ (.*?)\n(.*?)--- stderr\n(.*?)--- exit (\d+)\n?", text, re.DOTALL
    ).groups()
    return Answer(stdout, stderr, int(code))


@pytest.fixture
def pbs_answer() -> Callable[[str], Answer]:
    return lambda name: read_answer("pbs", name)


@pytest.fixture
def gridengine_answer() -> Callable[[str], Answer]:
    return lambda name: read_answer("gridengine", name)


@pytest.fixture
def journal(tmp_path: Path) -> Journal:
    return Journal(tmp_path / "qsub")


@pytest.fixture
def make_record(journal: Journal) -> Callable[..., Record]:
    """A submitted job."""

    def make(token: str = "train-1", job_id: str = "1.es1", **changes: object) -> Record:
        values = {"key": token, "digest": "d", "log": "job.log", "seconds": 3600, **changes}
        return journal.submitted(journal.open(Record(token, **values)), job_id)

    return make


class Site:
    """A working directory and a stand-in for its cluster."""

    SUBMIT, ONE_JOB = SUBMIT, ONE_JOB

    def __init__(self, folder: Path) -> None:
        self.folder, self.state = folder, folder / "pbs"
        self.environment = {
            **os.environ,
            "PATH": f"{STAND_IN}{os.pathsep}{os.environ['PATH']}",
            "PBS_STAND_IN": str(self.state),
            "GROUP": "gxx00000",
        }
        self.started: list[subprocess.Popen[str]] = []

    def write(self, snakefile: str) -> None:
        (self.folder / "Snakefile").write_text(snakefile)

    def job(self, command: str) -> None:
        self.write(ONE_JOB.format(command=command))

    def words(self, *arguments: str, submit: str = SUBMIT, executor: str = "qsub") -> list[str]:
        return [
            *(sys.executable, "-m", "snakemake", "--executor", executor, "--jobs", "50"),
            *("--qsub-dialect", "pbs", "--qsub-submit", submit, "--qsub-logdir", "logs"),
            *("--qsub-poll", "1", "--qsub-grace", "3", "--nolock", "--rerun-incomplete"),
            *("--latency-wait", "5", "--default-resources", "queue=rt_HF", "runtime=5"),
            *("mem=None", "disk=None"),
            *arguments,
        ]

    def start(self, *arguments: str, submit: str = SUBMIT, **changes: str) -> subprocess.Popen[str]:
        """Snakemake in a session of its own, as in a terminal of its own."""
        process = subprocess.Popen(
            # A Ctrl-C counts, also where the tests themselves were started in the background.
            ["env", "--default-signal=INT", *self.words(*arguments, submit=submit)],
            cwd=self.folder,
            env={**self.environment, **changes},
            stdout=subprocess.PIPE,
            stderr=subprocess.STDOUT,
            text=True,
            start_new_session=True,
        )
        self.started.append(process)
        return process

    def interrupt(self, driver: subprocess.Popen[str]) -> str:
        """Ctrl-C, and all that Snakemake printed to its end."""
        os.killpg(driver.pid, signal.SIGINT)
        output, _ = driver.communicate(timeout=120)
        return output

    def run(self, *arguments: str, executor: str = "qsub", submit: str = SUBMIT, **changes: str):
        """Snakemake to its end: exit code and all that it printed."""
        done = subprocess.run(
            self.words(*arguments, executor=executor, submit=submit),
            cwd=self.folder,
            env={key: value for key, value in {**self.environment, **changes}.items() if value},
            stdout=subprocess.PIPE,
            stderr=subprocess.STDOUT,
            text=True,
            timeout=120,
            check=False,
        )
        return done.returncode, done.stdout

    def wrap(self, program: str, commands: str) -> Path:
        """Put other commands in the place of one of the scheduler's programs."""
        folder = self.folder / "bin"
        folder.mkdir(exist_ok=True)
        (folder / program).write_text(f"#!/bin/bash\n{commands}\n")
        (folder / program).chmod(0o755)
        self.environment["PATH"] = f"{folder}{os.pathsep}{self.environment['PATH']}"
        return folder / program

    def calls(self, program: str) -> int:
        log = self.state / "calls.log"
        lines = log.read_text().splitlines() if log.exists() else []
        return sum(line.split()[0] == program for line in lines)

    def qstat(self) -> list[str]:
        """Ids of the jobs in the queue or running."""
        answer = subprocess.run(
            [STAND_IN / "qstat"], env=self.environment, capture_output=True, text=True, check=True
        )
        return re.findall(r"^(\d+\.es1)", answer.stdout, re.M)

    def qdel(self, *ids: str) -> None:
        subprocess.run([STAND_IN / "qdel", *ids], env=self.environment, check=True)

    def wait_for(self, found: Callable[[], object], what: str) -> None:
        deadline = time.time() + 120
        while not found():
            assert time.time() < deadline, f"waited in vain for {what}"
            time.sleep(0.05)


@pytest.fixture
def site(tmp_path):
    made = Site(tmp_path)
    yield made
    for process in made.started:
        if process.poll() is None:
            process.kill()
            process.wait()
    if made.state.exists() and made.qstat():
        made.qdel(*made.qstat())
