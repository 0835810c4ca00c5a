"""Which variables of a user's environment are cleared, and which jobs are believed."""

import os
import socket
import sys
from pathlib import Path

import pytest
import yaml

from elboflow.environment.surroundings import clear, expanded, leftovers, strange_module

KEPT = [
    *("PATH", "HOME", "TMPDIR", "LD_LIBRARY_PATH", "CC", "CXX", "CFLAGS", "CXXFLAGS", "CUDA_HOME"),
    *("NCCL_HOME", "NCCL_DEBUG", "HOROVOD_GPU_OPERATIONS", "UCX_TLS", "OMPI_MCA_btl"),
    *("OPAL_PREFIX", "PIP_INDEX_URL", "HTTPS_PROXY", "SSL_CERT_FILE", "XDG_CACHE_HOME"),
    *(
        "CUDA_VISIBLE_DEVICES",
        "OMP_NUM_THREADS",
        "PYTORCH_CUDA_ALLOC_CONF",
        "TORCHINDUCTOR_CACHE_DIR",
        "TZ",
    ),
    *("SNAKEMAKE_PROFILE", "ABCI_GROUP", "SLURM_CONF", "CPATH", "LIBRARY_PATH", "MPLCONFIGDIR"),
]
STRANGE = [
    *("PYTHONPATH", "PYTHONHOME", "PYTHONWARNINGS", "PYTHONOPTIMIZE", "BASH_ENV", "CDPATH"),
    *("BASH_FUNC_cd%%", "SHELLOPTS", "GREP_OPTIONS", "MAKEFLAGS", "GIT_DIR", "LC_NUMERIC", "LANG"),
    *("SOURCE_DATE_EPOCH", "MPLBACKEND", "MATPLOTLIBRC", "OMP_DYNAMIC", "KMP_AFFINITY"),
    *("TORCHDYNAMO_DISABLE", "TORCHINDUCTOR_FREEZING"),
    *("TORCH_ALLOW_TF32_CUBLAS_OVERRIDE", "CUBLAS_WORKSPACE_CONFIG", "OPENBLAS_CORETYPE"),
]


def test_what_users_and_sites_set_for_a_reason_stays() -> None:
    environment = dict.fromkeys(KEPT, "x")
    assert leftovers(environment) == []
    clear(environment)
    assert set(KEPT) <= set(environment)


@pytest.mark.parametrize("name", STRANGE)
def test_what_changes_results_is_cleared(name: str) -> None:
    environment = {name: "x"}
    clear(environment)
    assert environment == {"LC_ALL": "C.UTF-8", "PYTHONNOUSERSITE": "1"}


@pytest.mark.parametrize(
    ("hosts", "names"),
    [
        ("", []),
        ("n1", ["n1"]),
        ("n[08-11,3]", ["n08", "n09", "n10", "n11", "n3"]),
        ("a1,b[1-2],c", ["a1", "b1", "b2", "c"]),
    ],
)
def test_hosts_as_slurm_writes_them(hosts: str, names: list[str]) -> None:
    assert expanded(hosts) == names


def test_a_file_of_hosts_is_a_job_where_it_names_this_one(tmp_path: Path) -> None:
    hosts = tmp_path / "hosts"
    hosts.write_text(f"elsewhere.site\n\n{socket.gethostname()}.site 4 all.q\n")
    job = {"PBS_NODEFILE": str(hosts), "PBS_JOBID": "7.pbs", "PE_HOSTFILE": str(hosts)}
    assert leftovers(job) == []
    hosts.write_text("elsewhere 4 all.q\n")
    assert sorted(leftovers(job)) == sorted(job)
    assert leftovers({**job, "SNAKEMAKE_QSUB_HOSTFILE": str(hosts)}) == []
    hosts.write_bytes(b"\xff\xfe")
    assert sorted(leftovers(job)) == sorted(job)


def test_a_module_from_pythonpath_is_told_from_one_that_lies_below(
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    """A home on PYTHONPATH makes no stranger of the environments and checkouts in it."""
    monkeypatch.setattr(sys, "path", list(sys.path))
    folder = Path(yaml.__file__).parents[1]
    assert strange_module({}) == ""
    assert strange_module({"PYTHONPATH": os.pathsep.join(map(str, folder.parents))}) == ""
    assert str(folder) in sys.path
    assert strange_module({"PYTHONPATH": f"/nowhere:{folder}"}).startswith("PYTHONPATH: Snakemake")
