"""What work tells of itself while it goes on."""

import json
from types import SimpleNamespace

import pytest

from elboflow.ranks import parts
from elboflow.ranks import progress as module
from elboflow.ranks.progress import Progress


def test_the_file_says_how_far_the_work_is(tmp_path, monkeypatch, capsys):
    monkeypatch.setattr(module, "SECONDS_BETWEEN", 0.0)
    progress = Progress("a", 200, done=50, folder=tmp_path)
    assert progress.advance(50, "epoch 3")
    told = json.loads((tmp_path / ".progress").read_text())
    assert told["share"] == 0.5
    assert told["state"] == "epoch 3"
    assert told["images_per_second"] > 0
    assert told["seconds_left"] * told["images_per_second"] == pytest.approx(100)
    assert "50%" in capsys.readouterr().err


def test_where_nothing_was_done_nobody_knows_the_time_left(tmp_path, capsys):
    """As of a training that had ended early, and writes its outputs once more."""
    Progress("a", 200, done=50, folder=tmp_path).close("epoch 3")
    assert json.loads((tmp_path / ".progress").read_text())["seconds_left"] is None
    assert capsys.readouterr().err == "a:  25%, 0 images/s, epoch 3\n"


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


def test_rank_0_tells_what_all_ranks_did(tmp_path, monkeypatch, capsys):
    """The other of two ranks saves two of four parts while rank 0 works on its first one."""
    monkeypatch.setattr(module, "SECONDS_BETWEEN", 0.0)
    monkeypatch.setattr(parts, "share_object", lambda value, name: value)
    state = tmp_path / "digest"
    state.mkdir()
    wanted = parts.in_parts("test", 40, 10)
    others = {part: {"elbo": [0.0] * 10} for part in wanted[1::2]}
    monkeypatch.setattr(parts, "gather", lambda own: [own, ({}, others)])
    shares = []

    def work(part, tick):
        for other, columns in others.items():
            parts.save_part(state, other, columns)
        tick()
        shares.append(json.loads((tmp_path / ".progress").read_text())["share"])
        return {"elbo": [1.0] * 10}

    worker = SimpleNamespace(rank=0, size=2)
    found, new = parts.work_through(wanted, work, state, tmp_path, "a", worker)
    assert shares == [0.5, 0.75]
    assert json.loads((tmp_path / ".progress").read_text())["share"] == 1
    assert (len(found), new) == (4, 40)
    assert "a: 100%" in capsys.readouterr().err


def test_work_that_goes_on_begins_with_what_is_done(tmp_path, monkeypatch, capsys):
    monkeypatch.setattr(parts, "share_object", lambda value, name: value)
    monkeypatch.setattr(parts, "gather", lambda own: [own])
    wanted = parts.in_parts("test", 40, 10)
    for part in wanted[:3]:
        parts.save_part(tmp_path, part, {"elbo": [0.0] * 10})
    began = []
    monkeypatch.setattr(
        parts, "Progress", lambda *args, **kw: began.append(args) or Progress(*args, **kw)
    )
    worker = SimpleNamespace(rank=0, size=1)
    _, new = parts.work_through(
        wanted, lambda *_: {"elbo": [0.0] * 10}, tmp_path, tmp_path, "a", worker
    )
    assert began == [("a", 40, 30)] and new == 10
    assert capsys.readouterr().err
