"""Whose a page is, and what it says while a run replaces what it shows."""

import hashlib
from pathlib import Path

import pytest

from elboflow.pages.origin import configuration, is_marked, mark

WORDS = ["nodes=4"]


@pytest.fixture
def said(tmp_path, monkeypatch):
    monkeypatch.chdir(tmp_path)
    Path("a.yaml").write_bytes(b"runs: {}\n")
    return configuration("a", Path("a.yaml"), WORDS)


def test_a_page_names_experiment_file_digest_and_words(said):

    assert (said["experiment"], said["file"], said["words"]) == ("a", "a.yaml", WORDS)
    assert said["sha256"] == hashlib.sha256(b"runs: {}\n").hexdigest()


def test_no_path_of_a_machine_is_told(said, tmp_path, monkeypatch):
    (tmp_path / "clone").mkdir()
    monkeypatch.chdir(tmp_path / "clone")
    assert configuration(None, tmp_path / "a.yaml", [])["file"] == "a.yaml"


@pytest.mark.parametrize("page", ["<body>\n<header>\n<h1>Report</h1>", "<body>\n<p>"])
def test_a_marked_page_says_of_what_and_keeps_its_time(said, page):
    path = Path("report.html")
    path.write_text(page)
    before = path.stat().st_mtime_ns
    assert not is_marked(path)
    mark(path, {**said, "experiment": "<b>"})
    once = path.read_text()
    assert is_marked(path) and path.stat().st_mtime_ns == before
    assert "Out of date" in once and "&lt;b&gt;, from a.yaml" in once and page[-5:] in once
    mark(path, said)
    assert path.read_text() == once


def test_what_is_no_page_is_not_marked():
    assert not is_marked(Path("none.html"))
