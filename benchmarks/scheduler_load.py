"""What a run costs the scheduler: status processes per minute, and how soon dependents follow.

The executor qsub beside cluster-generic, the general one, with a status script as its documentation
wants it: one call per job. The scheduler is a stand-in for PBS, whose jobs only let time pass.

    python benchmarks/scheduler_load.py --jobs 200 1000
"""

import argparse
import os
import statistics
import subprocess
import sys
import tempfile
import time
from collections.abc import Sequence
from pathlib import Path

STAND_IN = Path(__file__).parents[1] / "plugins/snakemake-executor-plugin-qsub/tests/pbs_stand_in"
MANY = """
rule all:
    input: expand("{{n}}", n=range({jobs}))
    localrule: True
rule job:
    output: "{{n,[0-9]+}}"
    resources: runtime=60
    shell: "touch {{output}}"
"""
CHAIN = """
rule all:
    input: "{last}"
    localrule: True
rule job:
    input: lambda wildcards: str(int(wildcards.n) - 1) if int(wildcards.n) else []
    output: "{{n,[0-9]+}}"
    resources: runtime=60
    shell: "date +%s.%N >{{output}}"
"""
STATUS = """#!/bin/sh
qstat -x -f "$1" | awk '$1 == "job_state" { s = $3 } $1 == "Exit_status" { e = $3 }
    END { print s != "F" ? "running" : e == 0 ? "success" : "failed" }'
"""
SUBMIT = "qsub -P gxx00000 -q rt_HF -l select=1 -l walltime=1:0:0"
EXECUTORS = {
    "qsub": [
        *("--executor", "qsub", "--qsub-dialect", "pbs"),
        *("--qsub-submit", f"{SUBMIT} -N {{name}} -j oe -o {{log}} {{script}}"),
    ],
    "cluster-generic": [
        *("--executor", "cluster-generic"),
        *("--cluster-generic-submit-cmd", f"{SUBMIT} -o /dev/null"),
        *("--cluster-generic-status-cmd", "./status.sh", "--cluster-generic-cancel-cmd", "qdel"),
    ],
}


class Workplace:
    """A folder with a workflow and the stand-in's state."""

    def __init__(self, folder: Path, snakefile: str) -> None:
        self.folder = folder
        (folder / "Snakefile").write_text(snakefile)
        (folder / "status.sh").write_text(STATUS)
        (folder / "status.sh").chmod(0o755)

    def start(self, executor: str, **environment: str) -> subprocess.Popen[bytes]:
        path = f"{STAND_IN}{os.pathsep}{os.environ['PATH']}"
        state = str(self.folder / "pbs")
        words = [sys.executable, "-m", "snakemake", "--jobs", "2000", "--scheduler", "greedy"]
        words += [
            "--max-jobs-per-timespan",
            "1000/1s",
            "--default-resources",
            "mem=None",
            "disk=None",
        ]
        return subprocess.Popen(
            [*words, *EXECUTORS[executor]],
            cwd=self.folder,
            env={**os.environ, "PATH": path, "PBS_STAND_IN": state, **environment},
            stdout=subprocess.DEVNULL,
            stderr=subprocess.DEVNULL,
        )

    def calls(self, program: str) -> list[float]:
        """Times at which a program was started."""
        log = self.folder / "pbs" / "calls.log"
        lines = log.read_text().splitlines() if log.exists() else []
        return [float(line.split()[-1]) for line in lines if line.split()[0] == program]


def per_minute(executor: str, jobs: int, seconds: float) -> float:
    """Status processes per minute while all jobs run."""
    with tempfile.TemporaryDirectory() as folder:
        place = Workplace(Path(folder), MANY.format(jobs=jobs))
        driver = place.start(executor, PBS_STAND_IN_SIMULATE="1", PBS_STAND_IN_SECONDS="86400")
        while len(place.calls("qsub")) < jobs:
            time.sleep(1)
        began = time.time()
        time.sleep(seconds)
        count = sum(began <= moment < began + seconds for moment in place.calls("qstat"))
        driver.kill()
        driver.wait()
        return 60 * count / seconds


def delays(executor: str, jobs: int) -> list[float]:
    """Seconds from the end of each job of a chain to the submission of the next."""
    with tempfile.TemporaryDirectory() as folder:
        place = Workplace(Path(folder), CHAIN.format(last=jobs - 1))
        place.start(executor).wait()
        ends = [float((place.folder / str(n)).read_text()) for n in range(jobs - 1)]
        return [later - end for end, later in zip(ends, place.calls("qsub")[1:], strict=True)]


def table(title: str, rows: Sequence[tuple[str, dict[str, float]]]) -> None:
    print(f"\n{title:<34}" + "".join(f"{name:>18}" for name in EXECUTORS))
    for name, values in rows:
        print(f"{name:<34}" + "".join(f"{values[each]:>18.1f}" for each in EXECUTORS), flush=True)


def main() -> None:
    parser = argparse.ArgumentParser(description=__doc__.partition("\n")[0])
    parser.add_argument("--jobs", type=int, nargs="+", default=[200, 1000], help="in flight")
    parser.add_argument("--seconds", type=float, default=240.0, help="to count for")
    parser.add_argument("--chain", type=int, default=8, help="jobs that follow each other")
    arguments = parser.parse_args()
    rows = []
    for jobs in arguments.jobs:
        counted = {each: per_minute(each, jobs, arguments.seconds) for each in EXECUTORS}
        rows.append((f"{jobs} jobs", counted))
    table("status processes per minute", rows)
    measured = {each: delays(each, arguments.chain) for each in EXECUTORS}
    table(
        "end of a job to next submission, s",
        [
            ("median", {each: statistics.median(measured[each]) for each in EXECUTORS}),
            ("longest", {each: max(measured[each]) for each in EXECUTORS}),
        ],
    )


if __name__ == "__main__":
    main()
