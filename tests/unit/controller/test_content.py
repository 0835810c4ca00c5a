"""The content of the user's own data decides, and is read only when it may have changed."""

import hashlib
import os
from collections.abc import Callable
from pathlib import Path

import pytest

from elboflow.images import content
from elboflow.images.content import known_sha256
from elboflow.images.errors import BadData
from elboflow.images.own_files import content_sha256, read_unchanged

LONG_AGO = 10**18


@pytest.fixture(params=["file", "folder"])
def mine(request, tmp_path: Path) -> Path:
    """The user's own data; `changing` names the file to change."""
    path = tmp_path / "mine"
    if request.param == "folder":
        path.mkdir()
        (path / "b.png").write_bytes(b"B")
    changing(path).write_bytes(b"one")
    return path


def changing(path: Path) -> Path:
    return path / "a.png" if path.is_dir() else path


@pytest.fixture
def settled(monkeypatch) -> None:
    """As if all files had been as they are for long."""
    monkeypatch.setattr(content, "COARSE", -(10**12))


@pytest.fixture
def read(monkeypatch) -> list[Path]:
    """Grows by an entry whenever the content is read."""
    found: list[Path] = []

    def counted(path: Path) -> str:
        found.append(path)
        return content_sha256(path)

    monkeypatch.setattr(content, "content_sha256", counted)
    return found


def test_the_digest_is_that_of_the_content(tmp_path):
    (tmp_path / "mine").write_bytes(b"one")
    assert known_sha256(tmp_path / "mine", tmp_path / "cache") == hashlib.sha256(b"one").hexdigest()


def test_what_did_not_change_is_read_once(mine, tmp_path, settled, read):
    digests = {known_sha256(mine, tmp_path / "cache") for _ in range(3)}
    assert (len(digests), len(read)) == (1, 1)


def test_what_changed_a_moment_ago_is_read_again(mine, tmp_path, read):
    """The clock of a file system is coarse: a second change might leave the same time."""
    for _ in range(2):
        known_sha256(mine, tmp_path / "cache")
    assert len(read) == 2


def rewrite(path: Path) -> None:
    path.write_bytes(b"two")
    os.utime(path, ns=(LONG_AGO, LONG_AGO))


def move_older(path: Path) -> None:
    older = path.with_name(".older")
    older.write_bytes(b"two")
    os.utime(older, ns=(LONG_AGO - 10**15,) * 2)
    older.replace(path)


def link_to_another(path: Path) -> None:
    rewrite(path.with_name(".another"))
    path.unlink()
    path.symlink_to(".another")


@pytest.mark.fault(
    "own data that are replaced by others of the same size, with the same time or an older one",
    outcome="noticed by their content",
)
@pytest.mark.parametrize("change", [rewrite, move_older, link_to_another])
def test_a_change_of_content_is_noticed_whatever_the_time_says(
    mine, tmp_path, settled, change: Callable[[Path], None]
):
    os.utime(changing(mine), ns=(LONG_AGO, LONG_AGO))
    before = known_sha256(mine, tmp_path / "cache")
    change(changing(mine))
    assert known_sha256(mine, tmp_path / "cache") == content_sha256(mine) != before


def test_another_time_is_another_look_at_the_same_content(mine, tmp_path, settled, read):
    before = known_sha256(mine, tmp_path / "cache")
    os.utime(changing(mine))
    assert known_sha256(mine, tmp_path / "cache") == before
    assert len(read) == 2


def test_an_image_that_is_renamed_is_another_content(tmp_path, settled):
    (tmp_path / "a.png").write_bytes(b"A")
    before = known_sha256(tmp_path, tmp_path / ".cache")
    (tmp_path / "a.png").rename(tmp_path / "b.png")
    assert known_sha256(tmp_path, tmp_path / ".cache") != before


def folder(path: Path) -> None:
    path.unlink()
    path.mkdir()


def pipe(path: Path) -> None:
    path.unlink()
    os.mkfifo(path)


def flipped(path: Path) -> None:
    text = path.read_text()
    path.write_text(("1" if text[0] == "0" else "0") + text[1:])


DAMAGE = {
    "empty": lambda path: path.write_text(""),
    "garbage": lambda path: path.write_bytes(bytes(range(256))),
    "cut": lambda path: path.write_text(path.read_text()[:-10]),
    "longer": lambda path: path.write_text(path.read_text() + "?" * 10**6),
    "a digit flipped": flipped,
    "folder": folder,
    "pipe": pipe,
}


@pytest.mark.fault(
    "a damaged record of the digest of own data, or a pipe or folder in its place",
    outcome="the digest is computed again",
)
@pytest.mark.parametrize("damage", DAMAGE.values(), ids=DAMAGE)
def test_a_damaged_record_is_not_believed(mine, tmp_path, settled, damage):
    expected = known_sha256(mine, tmp_path / "cache")
    (entry,) = (tmp_path / "cache").iterdir()
    damage(entry)
    assert known_sha256(mine, tmp_path / "cache") == expected


def test_no_record_can_be_kept(mine, tmp_path, settled):
    (tmp_path / "cache").write_text("no folder")
    assert known_sha256(mine, tmp_path / "cache") == content_sha256(mine)


CHANGING = pytest.mark.fault(
    "own data that are written to while they are read",
    outcome="refused in one line",
)


def append(path: Path) -> None:
    with path.open("ab") as stream:
        stream.write(b"!")


CHANGES = [append, rewrite, move_older, lambda path: path.write_bytes(b"")]


@CHANGING
@pytest.mark.parametrize("change", CHANGES)
def test_what_changes_while_its_digest_is_computed(mine, tmp_path, monkeypatch, change):
    def read_and_change(path: Path) -> str:
        digest = content_sha256(path)
        change(changing(path))
        return digest

    os.utime(changing(mine), ns=(0, 0))
    monkeypatch.setattr(content, "content_sha256", read_and_change)
    with pytest.raises(BadData, match="changed while it was read"):
        known_sha256(mine, tmp_path / "cache")


@CHANGING
@pytest.mark.parametrize("change", CHANGES)
def test_what_changes_while_it_is_read(tmp_path, monkeypatch, change):
    path = tmp_path / "mine"
    path.write_bytes(b"one")
    os.utime(path, ns=(0, 0))
    fstat = os.fstat

    def look_and_change(number: int) -> os.stat_result:
        monkeypatch.undo()
        status = fstat(number)
        change(path)
        return status

    monkeypatch.setattr(os, "fstat", look_and_change)
    with pytest.raises(BadData, match="changed while it was read"):
        read_unchanged(path, 100)
