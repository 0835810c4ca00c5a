"""What Slurm says of its nodes; None where it does not answer."""

import re
import subprocess
from collections.abc import Sequence


def idle_nodes(partition: str | None) -> int | None:
    """How many nodes of a partition nobody uses, None being the default one.

    Of several partitions, a,b, those of the one that has the most.
    """
    # By --states=idle those would be shown too that are drained and idle.
    words = ["sinfo", "--noheader", "--responding", "--format=%P %T %D"]
    answer = _ask([*words, f"--partition={partition}"] if partition else words)
    if answer is None:
        return None
    found = re.findall(r"^(\S+?)(\*?) +idle +(\d+) *$", answer, re.MULTILINE)
    return max((int(nodes) for _, star, nodes in found if partition or star), default=0)


def nodes_of_job(job: str | None) -> int | None:
    """How many nodes a job has; None where there is none."""
    answer = _ask(["squeue", "--noheader", f"--jobs={job}", "--format=%D"]) if job else None
    found = re.fullmatch(r"\s*([1-9]\d*)\s*", answer or "")
    return int(found[1]) if found else None


def _ask(words: Sequence[str]) -> str | None:
    nobody = subprocess.DEVNULL
    try:
        return subprocess.check_output(words, stdin=nobody, stderr=nobody, text=True, timeout=60)
    except (OSError, subprocess.SubprocessError):
        return None
