"""What is asked of a Python interpreter: the kind of wheels it takes, and what it can import."""

import json
import subprocess
from pathlib import Path
from typing import Any

from elboflow.environment.wheelhouse import SetupError

# Tells its wheels from another's.
ABI = """
import json, platform, sysconfig
print(json.dumps({"python": platform.python_version(), "abi": sysconfig.get_config_var("SOABI"),
    "platform": sysconfig.get_platform(), "libc": " ".join(platform.libc_ver())}))
"""
# get_arch_list() is empty in most releases where there is no GPU.
TORCH = """
import importlib.util, json, re, numpy, torch
gpus = range(torch.cuda.device_count() if torch.cuda.is_available() else 0)
flags = getattr(torch._C, "_cuda_getArchFlags", str)() or ""
wheel = importlib.util.find_spec("nvidia") and importlib.util.find_spec("nvidia.nccl")
print(json.dumps({"torch": torch.__version__, "cuda": torch.version.cuda,
    "numpy": numpy.__version__, "architectures": [int(n) for n in re.findall(r"sm_(\\d+)", flags)],
    "gpus": sorted({10 * a + b for a, b in map(torch.cuda.get_device_capability, gpus)}),
    "nccl": list(wheel.submodule_search_locations) if wheel else []}))
"""
# The kernel lists the files of a process's libraries: two of NCCL would be one too many.
HOROVOD = """
import ctypes, json, pathlib, horovod, horovod.torch as hvd
built = {"mpi": hvd.mpi_built(), "gloo": hvd.gloo_built(), "nccl": hvd.nccl_built(),
    "ccl": hvd.ccl_built(), "ddl": hvd.ddl_built()}
maps = pathlib.Path("/proc/self/maps")
files = sorted({line.split()[-1] for line in maps.read_text().splitlines() if "/libnccl.so" in line}
    if maps.exists() else [])
loaded = ctypes.c_int()
if files:
    ctypes.CDLL(files[0]).ncclGetVersion(ctypes.byref(loaded))
print(json.dumps({"horovod": horovod.__version__, "nccl_code": built["nccl"],
    "nccl_loaded_code": loaded.value, "nccl_files": files,
    "controllers": [name for name in ("mpi", "gloo") if built[name]],
    "operations": [name for name in built if built[name]]}))
"""
# The operations' libraries, under the key that Horovod's have.
DISTRIBUTED = """
import json, torch.distributed as dist
built = {"gloo": dist.is_gloo_available(), "nccl": dist.is_nccl_available()}
print(json.dumps({"operations": [name for name in built if built[name]]}))
"""
PACKAGES = """
import importlib.metadata, json
seen = {}  # the first of a name is the one that is imported
for found in importlib.metadata.distributions():
    seen.setdefault(found.name.lower().replace("_", "-"), f"{found.name}=={found.version}")
seen.pop("pip", None)
print(json.dumps(sorted(seen.values(), key=str.casefold)))
"""
SITE_FOLDERS = """
import json, sys
print(json.dumps([path for path in sys.path if path.endswith(("site-packages", "dist-packages"))]))
"""


def ask(python: Path, question: str) -> Any:
    """What an interpreter answers, as JSON, to a few lines of Python.

    Raises:
        SetupError: with the last line of its traceback.
    """
    command = [str(python), "-I", "-W", "ignore", "-c", question]
    answer = subprocess.run(command, capture_output=True, text=True, check=False)
    if answer.returncode:
        raise SetupError(f"{python}: {answer.stderr.strip().rpartition(chr(10))[2]}")
    return json.loads(answer.stdout)


def first_line(command: list[str]) -> str:
    """What a program says of its version; '' where there is no such program."""
    try:
        answer = subprocess.run(command, capture_output=True, text=True, check=False)
    except OSError:
        return ""
    return answer.stdout.partition("\n")[0].strip()
