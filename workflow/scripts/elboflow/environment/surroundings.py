"""What of a user's environment the workflow's programs are not to see.

    python -IS surroundings.py                       names the variables that launch.sh is to unset
    python -IS surroundings.py COMMAND ARGUMENTS…    runs a command without those of CLEARED

config/README.md has the same as a table, with what stays.
"""

import os
import re
import socket
import subprocess
import sys
import time
from collections.abc import Mapping, MutableMapping
from pathlib import Path

# Each of these can change a result, break a program, or put words into what it prints.
CLEARED = re.compile(
    r"PYTHON.*"  # modules, warnings and encodings of other projects
    r"|BASH_ENV|ENV|CDPATH|GLOBIGNORE|SHELLOPTS|BASHOPTS|POSIXLY_CORRECT|BASH_FUNC_.*"
    r"|GREP_OPTIONS|TAR_OPTIONS|GZIP|(GNU)?MAKE(FLAGS|FILES|LEVEL|OVERRIDES)|MFLAGS|CMAKE_GENERATOR"
    r"|GIT_(DIR|WORK_TREE|INDEX_FILE|COMMON_DIR|OBJECT_DIRECTORY|CEILING_DIRECTORIES|CONFIG.*)"
    r"|LC_.*|LANG|LANGUAGE|SOURCE_DATE_EPOCH"
    r"|MPLBACKEND|MATPLOTLIBRC"
    # Other kernels, or another number of threads, add in another order.
    r"|(OMP|MKL|OPENBLAS)_(?!NUM_THREADS$).*|(GOMP|KMP|GOTO|BLIS|VECLIB|NUMEXPR|DNNL|ONEDNN|NPY)_.*"
    r"|ATEN_CPU_CAPABILITY|GLIBC_TUNABLES|(TORCH|PYTORCH)_(?!(CUDA_)?ALLOC_CONF$).*"
    r"|TORCHDYNAMO_.*|TORCHINDUCTOR_(?!CACHE_DIR$).*"
    r"|NVIDIA_TF32_OVERRIDE|CUBLAS_WORKSPACE_CONFIG"
)
SET = {"LC_ALL": "C.UTF-8", "PYTHONNOUSERSITE": "1"}

# What an mpirun left to its processes: the next one would take itself for one of its ranks.
OF_A_RANK = re.compile(
    r"OMPI_(COMM_WORLD|UNIVERSE|APP_CTX|FIRST_RANKS|FILE_LOCATION|NUM_APP|COMMAND|ARGV).*"
    r"|OMPI_MCA_(ess|orte|pmix|shmem_RUNTIME|initial_wdir|cpu_type).*|ORTE_.*|PMI_.*"
    r"|(PMIX|PRTE)_(?!MCA_).*|PRTE_MCA_(ess|prte)_.*"
    r"|HOROVOD_(RANK|SIZE|HOSTNAME|(LOCAL|CROSS)_.*|GLOO_RENDEZVOUS_.*|CONTROLLER)"
)
OF_A_JOB = {
    "slurm": re.compile(r"SLURMD?_(?!CONF$).*"),
    "PBS_NODEFILE": re.compile(r"PBS_(?!(CONF_FILE|DEFAULT|EXEC|SERVER)$).*"),
    "PE_HOSTFILE": re.compile(r"PE_HOSTFILE|SGE_JOB_.*"),
    "LSB_DJOB_HOSTFILE": re.compile(r"LSB_.*"),
}


def clear(environment: MutableMapping[str, str] = os.environ) -> None:
    """Leave what the programs of the workflow may see."""
    for name in [name for name in environment if CLEARED.fullmatch(name)]:
        del environment[name]
    environment.update(SET)


def leftovers(environment: Mapping[str, str] = os.environ) -> list[str]:
    """Names of variables of an mpirun above, and of jobs that this process is no part of."""
    ended = [OF_A_RANK]
    if not in_slurm_job(environment):
        ended.append(OF_A_JOB["slurm"])
    for name in list(OF_A_JOB)[1:]:
        if not in_job_of(environment.get(name), environment):
            ended.append(OF_A_JOB[name])
    return [name for name in environment if any(kind.fullmatch(name) for kind in ended)]


def in_job_of(hostfile: str | None, environment: Mapping[str, str]) -> bool:
    """Whether a scheduler's file of hosts names this one, or a job of the qsub executor has it."""
    if environment.get("SNAKEMAKE_QSUB_HOSTFILE"):
        return True
    try:
        lines = Path(hostfile or "").read_text().splitlines()
    except (OSError, UnicodeDecodeError):
        return False
    return any(is_here(line.split()[0]) for line in lines if line.strip())


def in_slurm_job(environment: Mapping[str, str]) -> bool:
    """Whether Slurm says that the job runs; where it cannot be asked, the list of hosts decides."""
    end = environment.get("SLURM_JOB_END_TIME", "inf")
    if not re.fullmatch(r"\d{1,12}|inf", end) or float(end) < time.time():
        return False
    command = ["squeue", "--noheader", "--states", "running", "--format", "%i", "--jobs"]
    job = environment.get("SLURM_JOB_ID") or environment.get("SLURM_JOBID")
    try:
        if job:
            answer = subprocess.run([*command, job], capture_output=True, text=True, timeout=20)
            if answer.returncode == 0 or "Invalid job id" in answer.stderr:
                return bool(answer.stdout.strip())
    except (OSError, subprocess.TimeoutExpired):
        pass
    hosts = environment.get("SLURM_JOB_NODELIST") or environment.get("SLURM_NODELIST", "")
    return any(map(is_here, [*expanded(hosts), environment.get("SLURMD_NODENAME", "")]))


def expanded(hosts: str) -> list[str]:
    """Slurm's node[01-03,7] as the names that it stands for."""
    names = []
    for prefix, ranges, single in re.findall(r"([^,\[\]]*)\[([^\]]*)\][^,]*|([^,\[\]]+)", hosts):
        names += [single] if single else [f"{prefix}{number}" for number in numbers(ranges)]
    return names


def numbers(ranges: str) -> list[str]:
    """01-03,7 as 01, 02, 03, 7."""
    found = []
    for first, last in re.findall(r"(\d+)(?:-(\d+))?", ranges):
        found += [f"{n:0{len(first)}}" for n in range(int(first), int(last or first) + 1)]
    return found


def refused_folder(folder: str) -> str:
    """Why nothing can run in a folder of such a name, or ''."""
    command = ["sh", str(Path(__file__).parents[2] / "checkout.sh"), folder]
    return subprocess.run(command, capture_output=True, text=True).stderr.strip()


def strange_module(environment: Mapping[str, str] = os.environ) -> str:
    """Why not, where Snakemake has read modules from PYTHONPATH, as that of .venv never does.

    What it has not read by now it will not find there.
    """
    given = environment.get("PYTHONPATH", "").split(os.pathsep)
    folders = {Path(folder).resolve() for folder in given if folder}
    if sys.flags.ignore_environment or not folders:
        return ""
    for name, module in sorted(sys.modules.items()):
        file = Path(getattr(module, "__file__", None) or "").resolve()
        place = file.parents[1] if file.stem == "__init__" else file.parent
        if "." not in name and file.is_file() and place in folders:
            return f"PYTHONPATH: Snakemake runs with another {name}, {file}: unset the variable"
    sys.path[:] = [path for path in sys.path if Path(path).resolve() not in folders]
    return ""


def is_here(host: str) -> bool:
    """Whether a scheduler's name of a host is this one's, with its domain or without."""
    return host.partition(".")[0] == socket.gethostname().partition(".")[0]


if __name__ == "__main__":
    if sys.argv[1:]:
        clear()
        os.execvp(sys.argv[1], sys.argv[1:])
    found = [name for name in os.environ if CLEARED.fullmatch(name)] + leftovers()
    # Not what bash itself has read by then.
    print(*[name for name in found if re.fullmatch(r"(?!SHELLOPTS|BASHOPTS)\w+", name)], sep="\n")
