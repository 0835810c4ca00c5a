"""End a command, with all that it started, when the process that started it is gone.

    watchdog.py PARENT COMMAND &

Both are process ids; `watchdog.py $PPID $$ &` in a shell watches that shell, also after an exec. A
driver that was killed with -9 cannot end its jobs, and they would write into what the next makes.
"""

import os
import signal
import sys
import time

import psutil

SECONDS = 0.2  # between two looks
SECONDS_TO_END = 5.0  # between asking a process to end and killing it


def end(command: psutil.Process) -> None:
    """End a process and what it started: first asked to, then killed."""
    running = [command]
    for number in (signal.SIGTERM, signal.SIGKILL):
        # Once more before killing, since who was asked to end may have started others.
        running = sorted({*running, *descendants(running)}, key=lambda process: process.pid)
        for process in running:
            try:
                process.send_signal(number)
            except psutil.NoSuchProcess:
                continue
        running = psutil.wait_procs(running, timeout=SECONDS_TO_END)[1]


def descendants(processes: list[psutil.Process]) -> list[psutil.Process]:
    """What these processes started, but for this watchdog."""
    found = []
    for process in processes:
        try:
            found += process.children(recursive=True)
        except psutil.NoSuchProcess:
            continue
    return [process for process in found if process.pid != os.getpid()]


def watch(parent: int, command: psutil.Process) -> None:
    """Wait for the end of a command, and end it when its parent is another than it was."""
    while command.ppid() == parent:  # a number that is used again is no one's parent again
        if command.status() == psutil.STATUS_ZOMBIE:  # its parent reads to the end first
            return
        time.sleep(SECONDS)
    print(f"process {parent}, which started this, is gone: ending it", file=sys.stderr, flush=True)
    end(command)


def main() -> None:
    # A scheduler's warnings of a kill to come.
    for warning in (signal.SIGUSR1, signal.SIGUSR2):
        signal.signal(warning, signal.SIG_IGN)
    parent, command = map(int, sys.argv[1:])
    try:
        watch(parent, psutil.Process(command))
    except psutil.NoSuchProcess:
        return  # it has ended


if __name__ == "__main__":
    main()
