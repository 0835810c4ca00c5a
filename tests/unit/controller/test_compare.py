"""Runs of several experiments on one page."""

import subprocess
import sys
from pathlib import Path

import pytest

from elboflow.pages.compare import compare_page
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
