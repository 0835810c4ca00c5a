"""The lock of a state, and file systems that have none."""

import errno
import os
from pathlib import Path

import pytest

from elboflow.ranks import state_lock


def test_who_holds_a_lock_is_named(tmp_path):
    state_lock.hold(tmp_path / "state", Path("results/runs/a/seed1"))
    line = (tmp_path / "state/.lock").read_text()
    assert line.startswith(f"process {os.getpid()} on host ")
    assert line.endswith(" for results/runs/a/seed1\n")


@pytest.mark.fault("a state on a file system without locks", outcome="said once; work goes on")
@pytest.mark.parametrize("number", [errno.ENOLCK, errno.EOPNOTSUPP, errno.ENOSYS])
def test_a_file_system_without_locks_is_gone_on_with(tmp_path, monkeypatch, capsys, number):
    def refuse(*_):
        raise OSError(number, os.strerror(number))

    monkeypatch.setattr(state_lock.fcntl, "flock", refuse)
    state_lock.hold(tmp_path, tmp_path)
    assert capsys.readouterr().err.count("no locks on this file system") == 1


@pytest.mark.fault(
    "another process at work on a state", outcome="one line with its number and its host"
)
def test_a_lock_that_another_holds_is_waited_for_and_then_refused(tmp_path, monkeypatch):
    monkeypatch.setattr(state_lock, "SECONDS_TO_WAIT", 0)
    state_lock.hold(tmp_path, tmp_path)  # a second opening of the same file is another holder
    with pytest.raises(state_lock.InUse, match=f"worked on by process {os.getpid()} on host"):
        state_lock.hold(tmp_path, tmp_path)
