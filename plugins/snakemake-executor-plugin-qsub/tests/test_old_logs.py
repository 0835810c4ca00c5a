"""Which logs a start removes."""

import os
import time

import pytest
from snakemake_executor_plugin_qsub import old_logs

DAY = 24 * 3600


@pytest.fixture
def logs(tmp_path):
    """Logs of two jobs of long ago and of one of today, one of somebody else, and a folder."""
    folder = tmp_path / "logs"
    folder.mkdir()
    names = ["train-0123abcd.log", "train-4567abcd.log", "today-0123abcd.log", "train.log"]
    for name in names:
        (folder / name).touch()
    (folder / "folder-0123abcd.log").mkdir()
    for path in folder.iterdir():
        if not path.name.startswith("today"):
            os.utime(path, (time.time() - 11 * DAY,) * 2)
    return folder


def test_logs_of_long_ago_go_but_not_those_of_jobs_in_the_queue_or_of_others(logs, tmp_path):
    jobs = tmp_path / "jobs"
    (jobs / "train-4567abcd").mkdir(parents=True)
    old_logs.remove(logs, 10, jobs)
    assert sorted(path.name for path in logs.iterdir()) == [
        *("folder-0123abcd.log", "today-0123abcd.log", "train-4567abcd.log", "train.log")
    ]


@pytest.mark.parametrize("days", [0, 12])
def test_logs_stay_for_as_long_as_is_said(logs, tmp_path, days):
    old_logs.remove(logs, days, tmp_path)
    assert len(list(logs.iterdir())) == 5


def test_a_folder_that_cannot_be_read_keeps_nobody_from_starting(tmp_path):
    old_logs.remove(tmp_path / "none", 10, tmp_path)
