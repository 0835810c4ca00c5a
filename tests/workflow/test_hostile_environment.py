"""A shell that is full of other projects: the same bytes come out as from a clean one."""

import os
import socket
import subprocess
import sys
from pathlib import Path

import pytest

SNAKEMAKE = str(Path(sys.executable).with_name("snakemake"))  # what a user types
COMPARED = ["report.html", "tables/*", "figures/*", "runs/*/seed*/*", "data/digits/*"]


def hostile(folder: Path) -> dict[str, str]:
    """Variables, and the files that they name: each would stop the workflow or change results."""
    modules = folder / "modules"
    for name in ("yaml", "numpy", "matplotlib", "torch", "elboflow", "sitecustomize"):
        (modules / name).mkdir(parents=True)
        (modules / name / "__init__.py").write_text(f"raise SystemExit('another {name}')\n")
    (folder / ".config/matplotlib").mkdir(parents=True)
    (folder / ".config/pip").mkdir()
    (folder / ".config/pip/pip.conf").write_text("[install]\nuser = true\n")
    look = folder / ".config/matplotlib/matplotlibrc"
    look.write_text("lines.linewidth: 9\nfont.size: 20\nbackend: pdf\nsavefig.dpi: 10\n")
    (folder / "profile").write_text("echo from BASH_ENV; cd /; set -o noclobber\n")
    return {
        **dict.fromkeys(["PYTHONPATH", "PYTHONUSERBASE"], str(modules)),
        **{"PYTHONHOME": "/nowhere", "PYTHONWARNINGS": "error", "PYTHONOPTIMIZE": "2"},
        **{"PYTHONHASHSEED": "7", "PYTHONUTF8": "0", "PYTHONSAFEPATH": "1"},
        **{"MATPLOTLIBRC": str(look), "MPLCONFIGDIR": str(look.parent), "MPLBACKEND": "nonsense"},
        **{"HOME": str(folder), "TMPDIR": "/nowhere", "SOURCE_DATE_EPOCH": "1", "TZ": "Asia/Tokyo"},
        **{"BASH_ENV": str(folder / "profile"), "ENV": str(folder / "profile"), "CDPATH": "/:.."},
        **{"SHELLOPTS": "noclobber:nounset", "POSIXLY_CORRECT": "1", "GREP_OPTIONS": "-v"},
        **{"BASH_FUNC_cd%%": "() {  builtin cd /\n}", "BASH_FUNC_env%%": "() {  false\n}"},
        **{"LC_ALL": "tr_TR.ISO-8859-9", "LC_NUMERIC": "de_DE", "LANGUAGE": "tr"},
        **{"GIT_DIR": "/nowhere", "GIT_WORK_TREE": "/", "MAKEFLAGS": "-n", "PIP_USER": "1"},
        **{"OMP_NUM_THREADS": "3", "OMP_DYNAMIC": "true", "OMP_THREAD_LIMIT": "1"},
        **{"MKL_CBWR": "COMPATIBLE", "OPENBLAS_CORETYPE": "Prescott"},
        **{"NPY_DISABLE_CPU_FEATURES": "AVX2 FMA3", "ATEN_CPU_CAPABILITY": "default"},
        **{"SLURM_JOB_ID": "7", "SLURM_JOB_END_TIME": "1700000000", "SLURM_NODELIST": "gone[1-2]"},
        **{"SLURM_JOB_NODELIST": socket.gethostname(), "SLURM_TASKS_PER_NODE": "1(x2)"},
        **{"PBS_JOBID": "7", "PBS_NODEFILE": "/nowhere", "PBS_ENVIRONMENT": "PBS_BATCH"},
        **{"OMPI_COMM_WORLD_SIZE": "8", "OMPI_MCA_ess": "pmi", "PMIX_RANK": "3", "PMI_RANK": "3"},
        **{"HOROVOD_RANK": "1", "HOROVOD_SIZE": "2", "HOROVOD_CONTROLLER": "gloo"},
        **{"ELBOFLOW_DEADLINE": "1700000000", "ELBOFLOW_NODES": "3", "ELBOFLOW_GPU": "cuda"},
        **{"SNAKEMAKE_QSUB_NODES": "3", "SNAKEMAKE_QSUB_DEADLINE": "1700000000"},
        **{"SNAKEMAKE_QSUB_HOSTFILE": "/nowhere", "SNAKEMAKE_OUTPUT_CACHE": "/nowhere"},
    }


@pytest.mark.fault(
    "a shell with variables and files of other projects, jobs and languages, 60 at once",
    outcome="report, tables, figures and models are the same bytes",
)
@pytest.mark.parametrize("mask", [0o077])
def test_a_hostile_environment_changes_no_byte(fresh, finished_once, tiny, tmp_path, mask):
    fresh.configure(tiny())
    fresh.borrow_environment()
    own = {name: value for name, value in os.environ.items() if not name.startswith("XDG_")}
    done = subprocess.run(
        [SNAKEMAKE, "--cores", "2"],
        cwd=fresh.folder,
        env={**own, **hostile(tmp_path / "home")},
        stdout=subprocess.PIPE,
        stderr=subprocess.STDOUT,
        text=True,
        errors="replace",
        timeout=500,
        umask=mask,
        check=False,
    )
    assert done.returncode == 0, done.stdout
    there, here = fresh.folder / "results", finished_once.folder / "results"
    names = [path.relative_to(here) for glob in COMPARED for path in sorted(here.glob(glob))]
    assert len(names) > 30
    assert [
        name for name in names if (there / name).read_bytes() != (here / name).read_bytes()
    ] == []
    assert "from BASH_ENV" not in done.stdout


@pytest.mark.fault("a home that cannot be written", outcome="one line: set XDG_CACHE_HOME")
@pytest.mark.parametrize("home", ["/proc/nowhere", "/dev/null"])
def test_a_home_that_cannot_be_written_is_one_line(fresh, home):
    own = {name: value for name, value in os.environ.items() if not name.startswith("XDG_")}
    told = f"The cache folder {home}/.cache cannot be written: set XDG_CACHE_HOME to one that can\n"
    done = subprocess.run(
        [SNAKEMAKE, "-n"],
        cwd=fresh.folder,
        env={**own, "HOME": home},
        capture_output=True,
        text=True,
    )
    assert (done.returncode, done.stdout + done.stderr) == (1, told)


def test_a_shell_without_a_home_plans_as_ever(fresh, monkeypatch):
    monkeypatch.delenv("XDG_CACHE_HOME", raising=False)
    monkeypatch.delenv("HOME")
    assert fresh.planned()["train"] == 10


@pytest.mark.parametrize("start", ["-m snakemake", "-msnakemake", "-u -B -X dev -m snakemake"])
def test_snakemake_started_as_a_module_reads_no_modules_of_others(fresh, tmp_path, start):
    """As executors start it in jobs, where a prelude's modules may have set PYTHONPATH."""
    (tmp_path / "yaml.py").write_text("raise SystemExit('another yaml')")
    done = subprocess.run(
        [sys.executable, *start.split(), "--dry-run"],
        cwd=fresh.folder,
        capture_output=True,
        text=True,
        env={**os.environ, "PYTHONPATH": str(tmp_path)},
        check=False,
    )
    assert (done.returncode, "rule train:" in done.stdout) == (0, True), done.stderr


@pytest.mark.fault(
    "another module than the controller's was read from PYTHONPATH", outcome="refused"
)
def test_modules_of_another_project_in_a_foreign_snakemake_are_named(fresh, tmp_path):
    """One that was not started from .venv/bin, nor with -m: as of an environment of conda's."""
    (tmp_path / "modules").mkdir()
    (tmp_path / "modules" / "colorsys.py").write_text("")
    start = "import colorsys, sys; from snakemake.cli import main; main()"
    done = subprocess.run(
        [sys.executable, "-c", start, "-n"],
        cwd=fresh.folder,
        capture_output=True,
        text=True,
        env={**os.environ, "PYTHONPATH": str(tmp_path / "modules")},
        check=False,
    )
    (line,) = [text for text in (done.stdout + done.stderr).splitlines() if "PYTHONPATH" in text]
    assert line.startswith("PYTHONPATH: Snakemake runs with another colorsys, ")
    assert done.returncode != 0
