"""Hosts on this machine, each a set of Linux namespaces, wired to each other and to nothing else.

A host has a name, a network and shared memory of its own, a node also its own processes; the file
system is shared, as on a cluster, except for what site/host.sh puts in its place. All processes
of a host are in its network namespace: that is how they are found when it is taken down.
"""

import contextlib
import os
import pwd
import signal
import subprocess
import sys
import time
from collections.abc import Callable
from pathlib import Path
from typing import Any

HEAD, NODES = "es1", ("g0001", "g0002")
HOSTS = {name: f"10.88.0.{number}" for number, name in enumerate((HEAD, *NODES), start=1)}
SWITCH = "switch"
# What jobs start: the interpreter, the controller's environment and the one that trains.
ENVIRONMENTS = (Path(sys.prefix), Path(__file__).parents[2] / ".test-environment")
SHOWN = [sys.base_prefix, *(str(path) for path in ENVIRONMENTS if path.is_dir())]


def call(*words: str | Path, **options: Any) -> str:
    """Run a command to its end; its words and its answer are the error if it fails."""
    result = subprocess.run(
        list(map(str, words)),
        stdin=subprocess.DEVNULL,
        stdout=subprocess.PIPE,
        stderr=subprocess.STDOUT,
        text=True,
        check=False,
        **options,
    )
    if result.returncode:
        raise RuntimeError(f"{' '.join(map(str, words))}: {result.stdout.strip()}")
    return result.stdout


def wait_for(what: str, ready: Callable[[], object], seconds: float = 30) -> None:
    """Look every 0.1 s whether something is ready."""
    deadline = time.monotonic() + seconds
    while not ready():
        if time.monotonic() > deadline:
            raise RuntimeError(f"no {what} within {seconds:.0f} s")
        time.sleep(0.1)


def namespace(name: str) -> str:
    """The network namespace of a host; no other program's has this name."""
    return f"elboflow-{name}"


def connect() -> None:
    """Wire the hosts to a bridge, none of which the machine's own network sees."""
    call("ip", "netns", "add", namespace(SWITCH))
    switch = ("ip", "-netns", namespace(SWITCH))
    call(*switch, "link", "add", "bridge", "up", "type", "bridge")
    for name, address in HOSTS.items():
        call("ip", "netns", "add", namespace(name))
        host = ("ip", "-netns", namespace(name))
        far_end = ("peer", "name", "eth0", "netns", namespace(name))
        call(*switch, "link", "add", name, "up", "type", "veth", *far_end)
        call(*switch, "link", "set", name, "master", "bridge")
        call(*host, "address", "add", f"{address}/24", "dev", "eth0")
        call(*host, "link", "set", "eth0", "up")
        call(*host, "link", "set", "lo", "up")


def start_host(name: str, folder: Path) -> None:
    """Start a host's first process and wait until its view of the file system is complete."""
    words = ["setsid", "--fork", "nsenter", f"--net=/run/netns/{namespace(name)}"]
    words += ["unshare", "--uts", "--mount", "--ipc"]
    # A node's processes end with its first one, and no node sees another's. The head's keep the
    # numbers under which a test knows them.
    words += [] if name == HEAD else ["--pid", "--fork"]
    words += [str(folder / "site" / "host.sh"), str(folder), name, *SHOWN]
    log = folder / f"{name}.log"
    with log.open("w") as output:
        subprocess.run(
            words, stdin=subprocess.DEVNULL, stdout=output, stderr=subprocess.STDOUT, check=True
        )
    try:
        wait_for(f"host {name}", (folder / f"{name}.pid").exists)
    except RuntimeError as error:
        raise RuntimeError(f"{error}: {log.read_text()}") from error


def inside(name: str, folder: Path, user: str) -> list[str]:
    """The words that put a command on a host, as a user; on the head it keeps its process id."""
    pid = (folder / f"{name}.pid").read_text().strip()
    words = ["nsenter", "--target", pid, "--net", "--uts", "--mount", "--ipc"]
    words += [] if name == HEAD else ["--pid"]
    group = str(pwd.getpwnam(user).pw_gid)
    return [*words, "--", "setpriv", "--reuid", user, "--regid", group, "--init-groups", "--"]


def kill_processes(name: str) -> bool:
    """Whether the host had any processes left to kill."""
    pids = call("ip", "netns", "pids", namespace(name)).split()
    for pid in map(int, pids):
        with contextlib.suppress(ProcessLookupError):
            os.kill(pid, signal.SIGKILL)
    return bool(pids)


def existing() -> list[str]:
    """The hosts, and the switch, that are there now, be they complete or not."""
    namespaces = {line.split()[0] for line in call("ip", "netns", "list").splitlines()}
    return [name for name in (*HOSTS, SWITCH) if namespace(name) in namespaces]


def remove() -> None:
    """End every process of every host and delete the networks."""
    for name in existing():
        wait_for(f"end of {name}", lambda name=name: not kill_processes(name))
        call("ip", "netns", "del", namespace(name))
