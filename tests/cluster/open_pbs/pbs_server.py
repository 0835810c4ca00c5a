"""OpenPBS on the hosts of the Grid Engine cluster: a server on the head, a mom on each node.

Its files lie in the cluster's folder, and it ends with the cluster; an empty /etc/pbs.conf and an
empty /var/spool/pbs stay on the machine. Nodes take no ssh. They have GPUs by word alone, so that
the profile's own lines can be submitted.
"""

from pathlib import Path
from typing import Any

from grid_engine import Cluster
from linux_hosts import HEAD, NODES, call, inside, wait_for

PBS = Path("/opt/pbs")
PATH = f"{PBS}/bin:{PBS}/sbin:/usr/bin:/bin:/usr/sbin:/sbin"
CONFIGURATION, HOME = Path("/etc/pbs.conf"), Path("/var/spool/pbs")
SOCKET = Path("/var/run/postgresql")  # of its data base; one that was killed leaves a lock there
DATABASE_PORT = 15007
CORES, GPUS = 32, 4
# The folders of a host under HOME, and their modes. PBS's own script, which makes them, would also
# have it start with the machine.
SHARED = {"spool": 0o1777}
OF_HEAD = {
    **dict.fromkeys(("server_logs", "sched_logs", "comm_logs", "server_priv/accounting"), 0o755),
    **dict.fromkeys(("sched_priv", "server_priv/jobs", "server_priv/users"), 0o750),
    "server_priv/hooks/tmp": 0o750,
}
OF_NODE = {
    **dict.fromkeys(("aux", "mom_logs"), 0o755),
    **dict.fromkeys(("mom_priv/jobs", "mom_priv/hooks/tmp"), 0o751),
    **{"checkpoint": 0o700, "undelivered": 0o1777},
}
REQUEUE = 20  # seconds after which a node that is silent is given up; 310 by default
SETTINGS = [
    "create resource ngpus type=long,flag=nh",
    *(f"create node {name}" for name in NODES),
    *(f"set node {name} resources_available.ncpus={CORES}" for name in NODES),
    *(f"set node {name} resources_available.ngpus={GPUS}" for name in NODES),
    *(f"create queue {name} queue_type=e,enabled=true,started=true" for name in ("gpu", "large")),
    "set server flatuid=True",  # the head's user is the nodes'
    "set server job_history_enable=True",
    "set server scheduler_iteration=5",
    f"set server node_fail_requeue={REQUEUE}",
]


class WithPbs(Cluster):
    """The cluster of a user whose qsub, qstat and qdel are those of PBS."""

    def command(self, *words: Any, **options: Any) -> dict[str, Any]:
        command = super().command(*words, **options)
        command["env"]["PATH"] = f"{PBS}/bin:{command['env']['PATH']}"
        return command


def on(cluster: Cluster, name: str, *words: str | Path) -> str:
    """Run a command on a host as root."""
    return call(*inside(name, cluster.folder, "root"), *words, env={"PATH": PATH})


def start(cluster: Cluster) -> WithPbs:
    """Start a server without jobs."""
    if not (PBS / "sbin" / "pbs_server.bin").exists():
        raise RuntimeError(f"no OpenPBS in {PBS}: tests/cluster/open_pbs/build.sh makes it")
    for lock in SOCKET.glob(f".s.PGSQL.{DATABASE_PORT}*"):
        lock.unlink()
    HOME.mkdir(exist_ok=True)
    CONFIGURATION.touch()
    for name in (HEAD, *NODES):
        _start_host(cluster, name)
    for line in SETTINGS:
        on(cluster, HEAD, "qmgr", "-c", line)
    on(cluster, HEAD, "pkill", "-HUP", "-x", "pbs_sched")  # there are GPUs to count now
    told = ("pbsnodes", "-aS")
    wait_for("nodes", lambda: on(cluster, HEAD, *told).count(" free ") == len(NODES))
    return WithPbs(cluster.folder)


def _start_host(cluster: Cluster, name: str) -> None:
    is_head = int(name == HEAD)
    home, configuration = (cluster.folder / "pbs" / f"{name}{kind}" for kind in ("", ".conf"))
    for folder, mode in {**SHARED, **(OF_HEAD if is_head else OF_NODE)}.items():
        (home / folder).mkdir(parents=True)
        (home / folder).chmod(mode)
    if is_head:
        (home / "server_priv" / "db_user").write_text("postgres")
        scheduler = (PBS / "etc" / "pbs_sched_config").read_text()
        scheduler = scheduler.replace('\nresources: "', '\nresources: "ngpus, ')
        (home / "sched_priv" / "sched_config").write_text(scheduler)
    programs = dict.fromkeys(("SERVER", "SCHED", "COMM"), is_head) | {"MOM": 1 - is_head}
    configuration.write_text(
        f"PBS_EXEC={PBS}\nPBS_HOME={HOME}\nPBS_SERVER={HEAD}\n"
        + "".join(f"PBS_START_{program}={starts}\n" for program, starts in programs.items())
    )
    (home / "pbs_environment").write_text(f"PATH={PBS}/bin:/usr/bin:/bin\n")  # of jobs
    if not is_head:
        own = cluster.folder / "local"  # a node's, as its /tmp is not
        words = f"$clienthost {HEAD}\n$usecp *:/ /\n$tmpdir {own}\n"
        (home / "mom_priv" / "config").write_text(words)
    on(cluster, name, "mount", "--bind", home, HOME)
    on(cluster, name, "mount", "--bind", configuration, CONFIGURATION)
    on(cluster, name, PBS / "libexec" / "pbs_init.d", "start")
