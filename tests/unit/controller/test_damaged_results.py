"""Which results are found damaged when a workflow is planned."""

import os

import pytest

from elboflow.files.damaged import damaged
from elboflow.files.whole import record_of, write_result

NAMES = ["runs/plain/seed1/summary.csv", "data/digits/train.npy", "tables/runs.csv"]


@pytest.fixture
def results(tmp_path):
    for name in NAMES:
        write_result(tmp_path / name, b"elbo,-23.384\n")
    return tmp_path


def found(results):
    return damaged(results, results / "data")


def flip(path):
    path.write_bytes(path.read_bytes().replace(b"3", b"8"))


def flip_with_the_former_time(path):
    before = path.stat()
    flip(path)
    os.utime(path, ns=(before.st_atime_ns, before.st_mtime_ns))


def a_folder(path):
    path.unlink()
    path.mkdir()


def a_loop(path):
    path.unlink()
    path.symlink_to(path.name)


def a_folder_for_its_digest(path):
    a_folder(record_of(path))


def a_loop_for_its_digest(path):
    a_loop(record_of(path))


HARMS = [flip, flip_with_the_former_time, a_folder, lambda path: path.write_bytes(b"")]
HARMS += [a_loop, a_folder_for_its_digest, a_loop_for_its_digest]


@pytest.mark.parametrize("looked_before", [False, True])
@pytest.mark.parametrize("name", NAMES)
@pytest.mark.parametrize("harm", HARMS)
def test_what_was_damaged_is_found(results, harm, name, looked_before):
    if looked_before:
        assert found(results) == []
    harm(results / name)
    assert found(results) == [results / name]
    assert found(results) == [results / name], "until it is made again"


@pytest.mark.parametrize("linked", ["runs", "runs/plain", "runs/plain/seed1", "data/digits"])
def test_what_was_damaged_is_found_behind_a_link(results, tmp_path, linked):
    """As a user has who keeps the data, or a run, on another disk."""
    folder, other = results / linked, tmp_path / "other disk"
    folder.rename(other)
    folder.symlink_to(other)
    name = next(name for name in NAMES if name.startswith(linked))
    flip(results / name)
    assert found(results) == [results / name]


def test_what_is_as_it_was_is_not_read_again(results, monkeypatch):
    assert found(results) == []
    monkeypatch.setattr("elboflow.files.damaged.verify", None)
    assert found(results) == []


def test_what_was_made_again_is_whole(results):
    flip(results / NAMES[0])
    assert found(results) == [results / NAMES[0]]
    write_result(results / NAMES[0], b"elbo,-23.38\n")
    assert found(results) == []


def test_what_was_deleted_is_left_to_snakemake(results):
    (results / NAMES[0]).unlink()
    assert found(results) == []


@pytest.mark.fault(
    "the job that makes a damaged result again fails",
    outcome="the next start makes it, although all that follows from it is there",
)
def test_what_was_damaged_is_so_until_it_is_there_again(results):
    flip(results / NAMES[0])
    assert found(results) == [results / NAMES[0]]
    (results / NAMES[0]).unlink()  # as Snakemake does before and after such a job
    record_of(results / NAMES[0]).unlink()
    assert found(results) == found(results) == [results / NAMES[0]]
    write_result(results / NAMES[0], b"elbo,-23.384\n")
    assert found(results) == []


def test_a_digest_that_was_damaged_counts_against_its_file(results):
    assert found(results) == []
    record_of(results / NAMES[0]).write_text("0\n")
    assert found(results) == [results / NAMES[0]]


@pytest.mark.parametrize("memory", [b"", b"[]", b"[" * 100_000, b"\xff"])
def test_a_damaged_memory_is_no_matter(results, memory):
    found(results)
    (results / ".verified.json").write_bytes(memory)
    flip(results / NAMES[0])
    assert found(results) == [results / NAMES[0]]


def test_a_clone_without_results_is_left_as_it_is(tmp_path):
    assert found(tmp_path / "results") == []
    assert list(tmp_path.iterdir()) == []
