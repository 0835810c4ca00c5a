"""What work tells of itself while it goes on."""

import json

import pytest

from elboflow.ranks import progress as module
from elboflow.ranks.progress import Progress


def test_the_file_says_how_far_the_work_is(tmp_path, monkeypatch, capsys):
    monkeypatch.setattr(module, "SECONDS_BETWEEN", 0.0)
    progress = Progress("a", 200, done=50, ranks=2, folder=tmp_path)
    assert progress.advance(50, "epoch 3")
    told = json.loads((tmp_path / ".progress").read_text())
    assert told["share"] == 0.5
    assert told["state"] == "epoch 3"
    assert told["images_per_second"] > 0
    assert told["seconds_left"] * told["images_per_second"] / 2 == pytest.approx(100)
    assert "50%" in capsys.readouterr().err


def test_nothing_is_told_twice_within_some_seconds_nor_by_other_ranks(tmp_path):
    assert not Progress("a", 200, folder=tmp_path).advance(50)
    silent = Progress("a", 200, silent=True, folder=tmp_path)
    assert not silent.advance(50)
    silent.close()
    assert not (tmp_path / ".progress").exists()


def test_work_goes_on_where_nothing_can_be_written(tmp_path, capsys):
    blocked = tmp_path / "file"
    blocked.write_text("")
    Progress("a", 10, folder=blocked).close("done")
    assert "done" in capsys.readouterr().err
