"""Supervisor of the PBS stand-in: one process per job, which waits, runs, watches and records.

It holds two locks while it lives: jobs/N.alive, and one of the slots that limit how many jobs
run at once. Both end with it, however it ends.
"""

import fcntl
import os
import resource
import shlex
import shutil
import signal
import subprocess
import sys
import time
import traceback
from typing import TextIO

from stand_in import lifecycle, output, state
from stand_in.state import Job

POLL = 0.1  # s
KILL_DELAY = 3  # s between TERM and KILL
IDENTITY = ("PATH", "LANG", "USER", "LOGNAME", "SHELL")


def launch(number: int) -> None:
    """Leave the job to a detached process, which inherits the locks of this one."""
    if os.fork():
        return
    try:
        os.setsid()
        log = (state.folder() / "supervisor.log").open("a")
        null = os.open(os.devnull, os.O_RDWR)
        for standard, ours in enumerate((null, null, log.fileno())):
            os.dup2(ours, standard)
        os.chdir("/")
        supervise(number)
    except BaseException:
        traceback.print_exc()
        sys.stderr.flush()
    finally:
        os._exit(0)


def supervise(number: int) -> None:
    """See one job from its queue to its end."""
    job = state.read(number)
    assert job is not None
    time.sleep(job["delay"])
    slot, slot_lock = wait_for_slot()
    with slot_lock:
        with state.locked():
            job = state.read(number)
            if job is None or job["state"] != "Q":
                return
            shell = start_shell(job)
            lifecycle.start(job, time.time(), session=shell.pid, slot=slot)
            state.write(job)
        overdue = watch(job, shell)
        record_end(job, shell.wait(), overdue)


def wait_for_slot() -> tuple[int, TextIO]:
    """Return the lowest free slot and the lock on it."""
    while True:
        for slot in range(int(os.environ.get("PBS_STAND_IN_SLOTS", "8"))):
            lock = (state.folder() / f"slot{slot}").open("w")
            try:
                fcntl.flock(lock, fcntl.LOCK_EX | fcntl.LOCK_NB)
                return slot, lock
            except BlockingIOError:
                lock.close()
        time.sleep(POLL)


def start_shell(job: Job) -> subprocess.Popen[bytes]:
    """Start a shell in a new session; as in PBS, its input is the path of the script.

    So the script is a child of that shell: killed alone it counts as 128 + signal, the shell
    itself as 256 + signal.
    """
    out, error = output.written_to(job)
    with out.open("ab") as stdout, error.open("ab") as stderr:
        shell = subprocess.Popen(
            ["/bin/bash"],
            stdin=subprocess.PIPE,
            stdout=stdout,
            stderr=stderr,
            cwd=job["home"],
            env=environment(job),
            start_new_session=True,
        )
    assert shell.stdin is not None
    with shell.stdin as script:
        script.write(f"{shlex.quote(str(state.job_path(job['number'], 'SC')))}\n".encode())
    return shell


def environment(job: Job) -> dict[str, str]:
    """Return the job's environment: nothing of the submitter's but PATH and its identity."""
    node_file = state.job_path(job["number"], "nodes")
    hosts = job["nodes"][: job["chunks"]]
    node_file.write_text("".join(f"{host}\n" * (job["mpiprocs"] or 1) for host in hosts))
    local = state.folder() / "local" / job["id"]
    local.mkdir(parents=True, exist_ok=True)
    kept = {
        name: value
        for name, value in os.environ.items()
        if name in IDENTITY or name.startswith("PBS_STAND_IN")
    }
    of_pbs = {
        "HOME": job["home"],
        "PBS_ENVIRONMENT": "PBS_BATCH",
        "PBS_JOBID": job["id"],
        "PBS_JOBNAME": job["name"],
        "PBS_JOBDIR": job["home"],
        "PBS_QUEUE": job["queue"],
        "PBS_NODEFILE": str(node_file),
        "PBS_NODENUM": "0",
        "PBS_TASKNUM": "1",
        "PBS_LOCALDIR": str(local),
        "NCPUS": str(job["ncpus"]),
        "OMP_NUM_THREADS": str(job["ompthreads"] or 1),
    }
    return kept | job["variables"] | of_pbs


def watch(job: Job, shell: subprocess.Popen[bytes]) -> bool:
    """Wait for the end of the job, or end it; tell whether it was at its walltime."""
    while shell.poll() is None:
        elapsed = time.time() - job["stime"]
        if elapsed > job["walltime"]:
            limit = f"walltime {int(elapsed)} exceeded limit {job['walltime']}"
            with output.written_to(job)[1].open("a") as error:
                error.write(f"=>> PBS: job killed: {limit}\n")
            end_session(shell.pid)
            return True
        written = state.read(job["number"])
        if written is not None and written.get("deleted_by"):
            end_session(shell.pid)
            return False
        time.sleep(POLL)
    lifecycle.signal_session(shell.pid, signal.SIGKILL)  # what the script left behind
    return False


def end_session(session: int) -> None:
    """Send TERM to all processes of the job, and KILL to those that stay."""
    lifecycle.signal_session(session, signal.SIGTERM)
    deadline = time.time() + KILL_DELAY
    while lifecycle.signal_session(session, 0) and time.time() < deadline:
        time.sleep(POLL)
    lifecycle.signal_session(session, signal.SIGKILL)


def record_end(job: Job, return_code: int, overdue: bool) -> None:
    """Deliver the output, then let the job count as finished."""
    delivered = output.deliver(job)
    shutil.rmtree(state.folder() / "local" / job["id"])
    usage = resource.getrusage(resource.RUSAGE_CHILDREN)
    with state.locked():
        written = state.read(job["number"])
        assert written is not None
        written["delivered"] = int(delivered)
        written["cput"] = usage.ru_utime + usage.ru_stime
        written["memory"] = usage.ru_maxrss
        status = return_code if return_code >= 0 else 256 - return_code
        status = lifecycle.KILLED_AT_WALLTIME if overdue else status
        lifecycle.finish(written, time.time(), status)
        state.write(written)
