"""Slurm on the hosts of the Grid Engine cluster: a controller on the head, a daemon on each node.

Its files lie in the cluster's folder, and it ends with the cluster. Jobs are given GPUs that are
none, so that the profile's own lines can be submitted. In place of an accounting, which wants a
database, it writes a line for each job that has ended.
"""

import os
import shutil
import stat
import subprocess
from datetime import datetime
from typing import NamedTuple

from grid_engine import PATH, Cluster
from linux_hosts import HEAD, NODES, call, inside, wait_for

PACKAGES = {"slurmctld": "slurmctld", "slurmd": "slurmd", "sbatch": "slurm-client"}
CORES = GPUS = 16  # per node, more than there are: so that several jobs run side by side
NULL = os.makedev(1, 3)  # /dev/null
CONFIGURATION = """\
ClusterName=elboflow
SlurmctldHost={head}
SlurmUser=root
AuthType=auth/none
CredType=cred/none
StateSaveLocation={folder}/state
SlurmctldPidFile={folder}/slurmctld.pid
SlurmctldLogFile={folder}/slurmctld.log
SlurmdSpoolDir={folder}/%n
SlurmdPidFile={folder}/%n.pid
SlurmdLogFile={folder}/%n.log
TmpFS={local}
ProctrackType=proctrack/linuxproc
TaskPlugin=task/none
SelectType=select/cons_tres
SelectTypeParameters=CR_Core
GresTypes=gpu
JobCompType=jobcomp/filetxt
JobCompLoc={folder}/completed
# More cores than the machine has are taken for granted, and 5 s are enough to end after a warning.
SlurmdParameters=config_overrides
KillWait=5
NodeName={nodes} CPUs={cores} Gres=gpu:{gpus}
PartitionName=gpu Nodes=ALL Default=YES MaxTime=INFINITE State=UP
"""


class Ended(NamedTuple):
    """What Slurm has written of a job that has ended."""

    nodes: int
    asked: float  # node-hours
    used: float


def ended(cluster: Cluster) -> dict[int, Ended]:
    """The jobs that have ended, by their numbers."""
    path = cluster.folder / "slurm" / "completed"
    lines = path.read_text().splitlines() if path.exists() else []
    told = [dict(word.partition("=")[::2] for word in line.split()) for line in lines]
    return {int(words["JobId"]): _ended(words) for words in told}


def _ended(words: dict[str, str]) -> Ended:
    nodes = int(words["NodeCnt"])
    start, end = (datetime.fromisoformat(words[f"{name}Time"]) for name in ("Start", "End"))
    seconds = (end - start).total_seconds()
    return Ended(nodes, nodes * int(words["TimeLimit"]) / 60, nodes * seconds / 3600)


def missing() -> list[str]:
    """Why no Slurm can be started here; empty if one can."""
    packages = [name for program, name in PACKAGES.items() if not shutil.which(program, path=PATH)]
    return [f"it needs the packages {' '.join(packages)}"] if packages else []


def start(cluster: Cluster) -> None:
    """Start a Slurm without jobs."""
    if reasons := missing():
        raise RuntimeError(f"no Slurm here: {'; '.join(reasons)}")
    folder = cluster.folder / "slurm"  # /etc/slurm of all hosts
    for name in ("state", *NODES):
        (folder / name).mkdir()
    for number in range(GPUS):
        os.mknod(folder / f"gpu{number}", stat.S_IFCHR | 0o666, NULL)
    text = CONFIGURATION.format(
        head=HEAD,
        folder=folder,
        local=cluster.folder / "local",  # a node's own, as its /tmp is not
        nodes=",".join(NODES),
        cores=CORES,
        gpus=GPUS,
    )
    (folder / "slurm.conf").write_text(text)
    (folder / "gres.conf").write_text(f"Name=gpu File={folder}/gpu[0-{GPUS - 1}]\n")
    # The other plugin, which is tried first, wants a cgroup of its own.
    (folder / "cgroup.conf").write_text("CgroupPlugin=cgroup/v1\n")
    daemons = {HEAD: ("slurmctld", "-i"), **dict.fromkeys(NODES, ("slurmd",))}
    for name, words in daemons.items():
        with (folder / f"{name}.out").open("w") as log:
            words = [*inside(name, cluster.folder, "root"), *words]
            subprocess.run(words, env={"PATH": PATH}, stdout=log, stderr=log, check=True)
    wait_for("Slurm", lambda: _idle_nodes(cluster) == len(NODES))


def drain(cluster: Cluster, node: str) -> None:
    """Let a node take no more jobs."""
    words = ("scontrol", "update", f"NodeName={node}", "State=DRAIN", "Reason=test")
    call(*inside(HEAD, cluster.folder, "root"), *words, env={"PATH": PATH})


def _idle_nodes(cluster: Cluster) -> int:
    """How many nodes take jobs; none as long as the controller does not answer."""
    words = ("sinfo", "--noheader", "--Node", "--states", "idle", "--format", "%n")
    try:
        return len(call(*inside(HEAD, cluster.folder, "root"), *words, env={"PATH": PATH}).split())
    except RuntimeError:
        return 0
