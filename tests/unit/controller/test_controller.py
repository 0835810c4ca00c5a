"""The environment of all that Snakemake starts."""

import pytest

from elboflow.environment.controller import refusal, set_environment


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
