"""End a command, with all that it started, when the process that started it is gone.

    watchdog.py PARENT COMMAND [--sign FILE | --signs FOLDER --ranks N] [--stall-seconds S] &

Both are process ids; `watchdog.py $PPID $$ &` in a shell watches that shell, also after an exec. A
driver that was killed with -9 cannot end its jobs, and they would write into what the next makes.

With signs (signs.py) it ends all ranks as well when one stands still: the others wait for it
without end.
"""

import argparse
import os
import signal
import sys
import time
from pathlib import Path

import psutil

from elboflow.ranks.signs import Sign, Signs

SECONDS_BETWEEN_LOOKS = 0.2  # between two looks at the processes
LOOKS = 10  # at signs, within the time after which a rank is given up
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


def watch(parent: int, command: psutil.Process, signs: Sign | Signs | None, every: float) -> None:
    """Wait for the end of a command, and end it when its parent is gone or a rank stands still.

    Args:
        every: seconds between two looks at the signs.
    """
    looked = time.monotonic()
    while command.ppid() == parent:  # a number that is used again is no one's parent again
        if command.status() == psutil.STATUS_ZOMBIE:  # its parent reads to the end first
            return
        time.sleep(min(SECONDS_BETWEEN_LOOKS, every))
        passed = time.monotonic() - looked
        if signs and passed >= every:
            looked += passed
            # A machine that slept for an hour has not waited for a rank for an hour.
            if told := signs.look(min(passed, 2 * every)):
                break
    else:
        told = f"process {parent}, which started this, is gone: ending it"
    print(told, file=sys.stderr, flush=True)
    end(command)


def parse_args() -> argparse.Namespace:
    parser = argparse.ArgumentParser(description=__doc__.splitlines()[0])
    parser.add_argument("parent", type=int, help="the process that must be there")
    parser.add_argument("command", type=int, help="the process to end when it is gone")
    parser.add_argument("--sign", type=Path, help="beside a rank: the file that it renews")
    parser.add_argument("--signs", type=Path, help="beside the launcher: the folder of these files")
    parser.add_argument("--ranks", type=int, help="how many there must be")
    parser.add_argument("--stall-seconds", type=float, default=600, help="to wait for a rank")
    return parser.parse_args()


def main() -> None:
    args = parse_args()
    # A scheduler's warnings of a kill to come.
    for warning in (signal.SIGUSR1, signal.SIGUSR2):
        signal.signal(warning, signal.SIG_IGN)
    signal.signal(signal.SIGTERM, lambda *_: sys.exit())
    every = min(args.stall_seconds / LOOKS, 30.0)
    signs: Sign | Signs | None = None
    try:
        command = psutil.Process(args.command)
        if args.sign:
            signs = Sign(args.sign, command)
        if args.signs:
            signs = Signs(args.signs, args.ranks, args.stall_seconds)
        watch(args.parent, command, signs, every)
    except psutil.NoSuchProcess:
        return  # it has ended
    finally:
        if signs:
            signs.close()
