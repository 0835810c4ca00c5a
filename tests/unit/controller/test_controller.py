"""The environment of all that Snakemake starts."""

import shutil
import subprocess
from pathlib import Path

import pytest

from elboflow.environment.controller import MODULES, missing_modules, refusal, set_environment

REPOSITORY = Path(__file__).parents[3]
SNAKEMAKE = REPOSITORY / "workflow/scripts/snakemake.sh"
REQUIREMENTS = REPOSITORY / "requirements.in"


@pytest.mark.parametrize(("is_main", "left"), [(True, False), (False, True)])
def test_a_job_of_the_qsub_executor_is_known_in_the_job_alone(is_main, left):
    environment = {"SNAKEMAKE_QSUB_HOSTFILE": "hosts", "PYTHONPATH": "/other", "USER": "u"}
    set_environment(is_main, environment)
    assert ("SNAKEMAKE_QSUB_HOSTFILE" in environment) == left
    assert environment["USER"] == "u" and "PYTHONPATH" not in environment


def test_matplotlib_writes_into_the_cache():
    environment = {"XDG_CACHE_HOME": "/cache"}
    set_environment(True, environment)
    assert environment["MPLCONFIGDIR"] == "/cache/elboflow/matplotlib"
    set_environment(True, other := {"XDG_CACHE_HOME": ""})
    assert other["MPLCONFIGDIR"].endswith("/.cache/elboflow/matplotlib")


def test_a_folder_in_which_nothing_can_run_is_refused(tmp_path, monkeypatch):
    monkeypatch.chdir(tmp_path)
    assert refusal() == ""
    (odd := tmp_path / "a:b").mkdir()
    monkeypatch.chdir(odd)
    assert "a:b" in refusal()


def test_a_python_without_what_the_rules_import_is_told_so():
    assert missing_modules() == ""
    told = missing_modules(["json", "no_such_module"])
    assert "has no no_such_module:" in told and "\n" not in told
    assert Path(told.rpartition(" ")[2]).is_file()


def test_what_is_looked_for_is_what_is_required():
    named = {line for line in REQUIREMENTS.read_text().split("\n") if line and line[0] != "#"}
    for_other_ends = {"snakemake", "snakemake-executor-plugin-slurm", "hatchling", "pygments"}
    modules = {"fonttools": "fontTools", "pyyaml": "yaml", "scikit-learn": "sklearn"}
    assert {modules.get(name, name) for name in named - for_other_ends} == set(MODULES)


@pytest.mark.parametrize(
    ("words", "refused"),
    [
        ("-n --configfile a.yaml --cores 2", ""),
        ("--configfile a.yaml -- report", ""),
        ("--configfile=a.yaml report", ""),
        ("report", ""),
        ("--configfile no.yaml", "no.yaml"),
        ("--configfile=no.yaml -n", "no.yaml"),
        ("--configfiles a.yaml report", "report"),
        ("--configfile folder", "folder"),
        ("--configfile latin.yaml", "latin.yaml, line 2: not UTF-8"),
    ],
)
def test_a_configuration_that_is_not_there_is_named(tmp_path, words, refused):
    command = shutil.copy(SNAKEMAKE, tmp_path)
    (tmp_path / "python").write_text("#!/bin/sh\necho started $*\n")
    (tmp_path / "python").chmod(0o755)
    (tmp_path / "a.yaml").write_text("\u00e9: 1\n")
    (tmp_path / "latin.yaml").write_bytes(b"a: 1\nb: \xe9\n")
    (tmp_path / "folder").mkdir()
    run = ["sh", command, *words.split()]
    done = subprocess.run(run, cwd=tmp_path, capture_output=True, text=True, check=False)
    if refused:
        assert (done.returncode, done.stdout) == (1, "")
        assert done.stderr.startswith(f"--configfile: {refused}") and done.stderr.count("\n") == 1
    else:
        assert done.stdout == f"started -I -m snakemake {words}\n"
