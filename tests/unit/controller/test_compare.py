"""Runs of several experiments on one page."""

import re
import shutil
import subprocess
import sys
from pathlib import Path

import pytest

from elboflow.pages.compare import compare_page
from elboflow.pages.origin import mark
from elboflow.reading.errors import InputError

TEMPLATE = Path(sys.modules["elboflow"].__file__).parents[2] / "report" / "compare.html.jinja"


def test_an_experiment_that_has_not_ended_is_refused(tmp_path):
    with pytest.raises(InputError, match="no tables there; run experiment other to its end first"):
        compare_page(TEMPLATE, tmp_path, ["other", "default"])


@pytest.mark.parametrize("names", [[], ["default"], ["default", "default"]])
def test_one_experiment_is_nothing_to_compare(names):
    door = TEMPLATE.parents[1] / "scripts" / "compare.py"
    done = subprocess.run(
        [sys.executable, door, *names], capture_output=True, text=True, check=False
    )
    assert done.returncode == 1
    assert done.stderr.startswith("error: name two experiments") and done.stderr.count("\n") == 1


@pytest.mark.fault("a folder for the page that cannot be written", outcome="told in one line")
def test_a_page_that_cannot_be_written(experiments):
    door = TEMPLATE.parents[1] / "scripts" / "compare.py"
    words = ["default", "copy", "--results", str(experiments), "--page", "/proc/none/page.html"]
    done = subprocess.run(
        [sys.executable, door, *words], capture_output=True, text=True, check=False
    )
    assert done.returncode == 1 and done.stderr.count("\n") == 1
    assert done.stderr.startswith("error: no such file") and "/proc/none" in done.stderr


@pytest.fixture
def experiments(finished, script_jobs, scripts_runner):
    """The folder of a finished experiment, default, and of its copy."""
    tables = [job for job in script_jobs(finished) if job["script"].endswith("gather_tables.py")]
    assert scripts_runner(tables, cwd=finished).returncode == 0
    results = finished / "results"
    for values in results.glob("runs/*/seed*/per_image.csv"):
        values.with_name("model.json").write_text('{"digests": {"data": "0"}}')
    for name in ("runs", "tables"):
        shutil.copytree(results / name, results / "copy" / name)
    return results


def test_runs_of_the_same_test_images_stand_side_by_side(experiments):
    page = compare_page(TEMPLATE, experiments, ["default", "copy"])
    rows = re.findall(r'<th scope="row">([^<]+)</th><td class="number">([^<]+)</td>', page)
    log_p = {"alpha": "\N{MINUS SIGN}20.00(35)", "beta": "\N{MINUS SIGN}24.00(35)"}
    assert rows == [(f"{of}/{run}", log_p[run]) for run in log_p for of in ("copy", "default")]
    assert '<a href="report.html">default</a>, <a href="copy/report.html">copy</a>' in page
    assert "Out of date" not in page


def test_seeds_that_are_no_longer_of_a_run_are_left_out(experiments):
    before = compare_page(TEMPLATE, experiments, ["default", "copy"])
    former = shutil.copytree(
        experiments / "copy/runs/beta/seed1", experiments / "copy/runs/beta/seed0"
    )
    text = re.sub(r"^(\d+),-?", r"\1,-9", (former / "per_image.csv").read_text(), flags=re.M)
    (former / "per_image.csv").write_text(text)
    assert compare_page(TEMPLATE, experiments, ["default", "copy"]) == before


def test_an_experiment_that_is_being_replaced_is_named(experiments):
    (experiments / "copy" / "report.html").write_text("<body></body>")
    mark(experiments / "copy" / "report.html", {"experiment": "copy", "file": "", "sha256": ""})
    page = compare_page(TEMPLATE, experiments, ["default", "copy"])
    assert "A run has begun to replace results of copy, and has not ended" in page
