"""A Grid Engine cluster of a head and two nodes on this machine, for tests; needs root.

    python tests/cluster/grid_engine.py up
    python tests/cluster/grid_engine.py exec -- qsub -g gxx00000 -l rt_F=2 job.sh
    python tests/cluster/grid_engine.py down

Scheduler and cell live in a temporary folder that only the hosts see, so the machine's network,
names and Grid Engine stay as they are. One cluster at a time: `up` takes an earlier one down.
"""

import argparse
import fcntl
import json
import os
import pwd
import secrets
import shutil
import subprocess
import sys
from collections.abc import Mapping, Sequence
from pathlib import Path
from typing import Any

import cell
import linux_hosts
from cell import MANAGER, ROOT, SHARE, SPOOL
from linux_hosts import HEAD, HOSTS, NODES, call, inside, wait_for

STATE = Path("/run/elboflow-cluster/state.json")  # what is to be taken down, and by whomever
USER, GROUP = "abci", "gxx00000"
SLOTS = 16  # per node; a full node takes 4 of them, so that several jobs run side by side
PATH = "/usr/local/bin:/usr/bin:/bin:/usr/local/sbin:/usr/sbin:/sbin"
ENVIRONMENT = {"PATH": PATH, "LANG": "C.UTF-8", "SGE_ROOT": str(ROOT), "SGE_CELL": "default"}
PACKAGES = {
    "ip": "iproute2",
    "sge_qmaster": "gridengine-master",
    "sge_execd": "gridengine-exec",
    "qsub": "gridengine-client",
    "mpirun": "openmpi-bin",
}


def missing() -> list[str]:
    """Why no cluster can be brought up here; empty if one can."""
    reasons = [] if os.geteuid() == 0 else ["it needs root"]
    reasons += [] if Path("/etc/debian_version").exists() else ["it needs Debian"]
    packages = [name for program, name in PACKAGES.items() if not shutil.which(program, path=PATH)]
    return reasons + ([f"it needs the packages {' '.join(packages)}"] if packages else [])


def hold() -> int:
    """Keep others from bringing a cluster up, until this process ends, however it does.

    The lock is on a folder that is always there, so that nothing has to be removed.
    """
    lock = os.open("/run", os.O_RDONLY)
    try:
        fcntl.flock(lock, fcntl.LOCK_EX | fcntl.LOCK_NB)
    except BlockingIOError:
        os.close(lock)
        raise RuntimeError("a cluster is in use here already: one at a time") from None
    return lock


def user_exists() -> bool:
    return USER in {entry.pw_name for entry in pwd.getpwall()}


class Cluster:
    """A head, two nodes, and an ordinary user on the head."""

    def __init__(self, folder: Path) -> None:
        self.folder = folder
        self.home = folder / "home"  # the user's, on all hosts
        self.lock: int | None = None

    @classmethod
    def up(cls) -> "Cluster":
        """Start a cluster from scratch, in place of what an earlier one has left."""
        if reasons := missing():
            raise RuntimeError(f"no cluster here: {'; '.join(reasons)}")
        lock = hold()
        down()
        cluster = cls(Path("/tmp") / f"elboflow-cluster-{secrets.token_hex(4)}")
        cluster.lock = lock
        try:
            cluster.start()
        except BaseException:
            down()
            raise
        return cluster

    @classmethod
    def running(cls) -> "Cluster":
        """The cluster that another process has brought up."""
        if not STATE.exists():
            raise RuntimeError("no cluster is up")
        return cls(Path(json.loads(STATE.read_text())["folder"]))

    def start(self) -> None:
        self.record()
        cell.write(self.folder, USER)
        linux_hosts.connect()
        for name in HOSTS:
            linux_hosts.start_host(name, self.folder)
        self.manage(SHARE / "scripts" / "init_cluster", ROOT, "default", SPOOL, MANAGER)
        self.start_qmaster()
        self.manage(self.folder / "site" / "settings.sh", self.folder, GROUP, str(SLOTS), *HOSTS)
        for name in NODES:
            self.start_daemon(name, "sge_execd")
        wait_for("nodes", self.nodes_report)

    def record(self) -> None:
        """Write down what is about to be made, before it is made: nothing is left unknown."""
        STATE.parent.mkdir()
        new_user = not user_exists()
        new_state = STATE.with_suffix(".new")
        new_state.write_text(json.dumps({"folder": str(self.folder), "new_user": new_user}))
        new_state.rename(STATE)
        self.folder.mkdir(mode=0o755)
        if new_user:
            call("useradd", "--no-create-home", "--home-dir", self.home, USER)

    def manage(self, *words: str | Path) -> str:
        """Run a command on the head as Grid Engine's manager."""
        return call(*inside(HEAD, self.folder, MANAGER), *words, env=ENVIRONMENT)

    def start_daemon(self, name: str, program: str) -> None:
        with (self.folder / f"{name}.log").open("a") as log:
            words = [*inside(name, self.folder, "root"), program]
            subprocess.run(words, env=ENVIRONMENT, stdout=log, stderr=log, check=True)

    def start_qmaster(self) -> None:
        self.start_daemon(HEAD, "sge_qmaster")
        wait_for("qmaster", self.qmaster_answers)

    def stop_qmaster(self) -> None:
        """Leave the head without a scheduler; jobs that run go on."""
        self.manage("qconf", "-km")
        wait_for("end of the qmaster", lambda: not self.qmaster_answers())

    def qmaster_answers(self) -> bool:
        try:
            self.manage("qconf", "-sm")
        except RuntimeError:
            return False
        return True

    def nodes_report(self) -> bool:
        """Whether each node's queue knows the load, without which it takes no job."""
        queues = [
            line for line in self.manage("qstat", "-f").splitlines() if line.startswith("all.q@")
        ]
        return len(queues) == len(NODES) and not any("-NA-" in line for line in queues)

    def command(
        self,
        words: Sequence[str | Path],
        cwd: Path | None = None,
        env: Mapping[str, str] | None = None,
    ) -> dict[str, Any]:
        """What subprocess needs to run a command on the head as the ordinary user.

        The variables are a login's and those of `env`, not this process's; the site's qsub comes
        first on PATH in any case.
        """
        login = {"HOME": str(self.home), "USER": USER, "LOGNAME": USER}
        variables = {**ENVIRONMENT, **login, **(env or {})}
        variables["PATH"] = f"{self.folder / 'site'}:{variables['PATH']}"
        words = [*inside(HEAD, self.folder, USER), "env", f"--chdir={cwd or self.home}", *words]
        return {"args": list(map(str, words)), "env": variables}

    def popen(
        self,
        words: Sequence[str | Path],
        cwd: Path | None = None,
        env: Mapping[str, str] | None = None,
        **options: Any,
    ) -> subprocess.Popen[str]:
        """Start a command on the head as the ordinary user; its id is the command's own."""
        return subprocess.Popen(**self.command(words, cwd, env), **{"text": True, **options})

    def run(
        self,
        words: Sequence[str | Path],
        cwd: Path | None = None,
        env: Mapping[str, str] | None = None,
        **options: Any,
    ) -> subprocess.CompletedProcess[str]:
        """Run a command on the head as the ordinary user, by default for at most two minutes."""
        usual = {"capture_output": True, "text": True, "check": False, "timeout": 120}
        return subprocess.run(**self.command(words, cwd, env), **{**usual, **options})


def down() -> None:
    """Remove all that a cluster has made, also one that is incomplete or that nobody holds."""
    linux_hosts.remove()
    if STATE.exists():
        state = json.loads(STATE.read_text())
        if Path(state["folder"]).exists():
            shutil.rmtree(state["folder"])
        if state["new_user"] and user_exists():
            call("userdel", USER)
    if STATE.parent.exists():
        shutil.rmtree(STATE.parent)


def main() -> None:
    parser = argparse.ArgumentParser(
        description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter
    )
    commands = parser.add_subparsers(dest="command", required=True)
    commands.add_parser("up", help="start a cluster; an earlier one is taken down first")
    commands.add_parser("down", help="remove the cluster, or what is left of one")
    execute = commands.add_parser("exec", help=f"run a command on {HEAD} as the user {USER}")
    execute.add_argument("--cwd", type=Path, help="folder to run it in; default: the user's home")
    execute.add_argument("words", nargs="+", help="the command; write -- before it")
    arguments = parser.parse_args()
    try:
        if arguments.command == "exec":
            command = Cluster.running().command(arguments.words, arguments.cwd)
            os.execvpe(command["args"][0], command["args"], command["env"])
        down() if arguments.command == "down" else Cluster.up()
    except RuntimeError as error:
        sys.exit(f"{parser.prog}: {error}")


if __name__ == "__main__":
    main()
