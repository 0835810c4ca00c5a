"""Files that are whole or not there, in what words the system's errors are told, and digests."""

import errno
import os
import subprocess
from pathlib import Path

import pytest

from elboflow.files import whole as whole_files
from elboflow.files.whole import (
    Damaged,
    in_words,
    record_of,
    remove_left_over,
    verify,
    write_bytes,
    write_result,
)

ERRORS = {
    errno.ENOSPC: "no space left on device: {}; make room on that disk and start again",
    errno.EDQUOT: "disk quota exceeded: {}; delete what is not needed there, or ask for",
    errno.EIO: "input/output error: {}; the disk or its server fails",
    errno.EROFS: "read-only file system: {}; work on a disk that can be written to",
    errno.EACCES: "permission denied: {}; correct the permissions",
    errno.EFBIG: "file too large: {}; raise the limit on the size of files",
}


def names(folder):
    return sorted(path.name for path in folder.iterdir())


@pytest.mark.fault(
    "the disk is full, the quota used up, the disk failing or read-only as a file is written",
    outcome="one line with the file and what to do; the file before it stays, nothing is left over",
)
@pytest.mark.parametrize("number", ERRORS)
def test_a_write_that_fails_names_the_file_and_leaves_the_one_before(tmp_path, monkeypatch, number):
    path = tmp_path / "table.csv"
    write_bytes(path, b"before")

    def fail(_):
        raise OSError(number, os.strerror(number))

    monkeypatch.setattr(whole_files.os, "fsync", fail)
    with pytest.raises(OSError) as error:
        write_result(path, b"after")
    assert in_words(error.value).startswith(ERRORS[number].format(path))
    assert path.read_bytes() == b"before"
    assert names(tmp_path) == ["table.csv"]


def test_a_disk_that_is_really_full(small_disk):
    path = small_disk / "table.csv"
    write_bytes(path, b"before")
    with pytest.raises(OSError) as error:
        write_result(path, bytes(150_000))
    assert in_words(error.value).startswith(f"no space left on device: {path}; make room")
    assert path.read_bytes() == b"before"
    assert names(small_disk) == ["table.csv"]


def test_a_name_that_is_too_long(tmp_path):
    with pytest.raises(OSError) as error:
        write_bytes(tmp_path / ("x" * 300), b"")
    assert in_words(error.value).startswith("file name too long: ")
    assert "shorter name" in in_words(error.value)


@pytest.mark.parametrize("place", ["table.csv", "table.csv/inside"])
def test_a_folder_or_a_file_in_the_way(tmp_path, place):
    (tmp_path / place).mkdir(parents=True)
    with pytest.raises(IsADirectoryError) as error:
        write_bytes(tmp_path / "table.csv", b"")
    assert "move the folder of that name away" in in_words(error.value)
    with pytest.raises(OSError, match=r"Not a directory|File exists"):
        write_bytes(Path(__file__) / "table.csv", b"")


@pytest.mark.fault(
    "a process is killed as it writes a file",
    outcome="the next one on this host removes what it left",
)
def test_what_killed_processes_left_is_swept(tmp_path):
    process = subprocess.Popen(["true"])
    process.wait()
    here = os.uname().nodename
    dead = tmp_path / f".model.pt.{here}.{process.pid}.part"
    kept = [f".model.pt.{here}.{os.getppid()}.part", f".model.pt.elsewhere.{process.pid}.part"]
    for name in (dead.name, *kept, "model.pt"):
        (tmp_path / name).touch()
    remove_left_over(tmp_path)
    assert names(tmp_path) == sorted([*kept, "model.pt"])


def flip(content):
    return content.replace(b"3", b"8")


HARMS = {
    "a flipped digit": flip,
    "cut off": lambda content: content[:-1],
    "empty": lambda content: b"",
    "one line twice": lambda content: content + content,
}


@pytest.mark.parametrize("harm", HARMS)
def test_a_result_that_was_damaged_is_refused(tmp_path, harm):
    path = tmp_path / "summary.csv"
    write_result(path, b"elbo,-23.384\n")
    verify(path)
    path.write_bytes(HARMS[harm](path.read_bytes()))
    with pytest.raises(Damaged, match=r"summary\.csv: damaged, its content is not what was"):
        verify(path)


@pytest.mark.parametrize("record", [b"", b"\xff\xfe", b"0  summary.csv\n"])
def test_a_digest_that_was_damaged_refuses_its_file(tmp_path, record):
    path = tmp_path / "summary.csv"
    write_result(path, b"elbo,-23.384\n")
    record_of(path).write_bytes(record)
    with pytest.raises(Damaged):
        verify(path)


def test_digests_are_those_of_sha256sum(tmp_path):
    write_result(tmp_path / "summary.csv", b"elbo,-23.384\n")
    command = ["sha256sum", "--check", "--strict", ".summary.csv.sha256"]
    assert subprocess.run(command, cwd=tmp_path, check=False).returncode == 0


def test_a_result_of_an_earlier_version_has_no_digest_and_is_taken(tmp_path):
    (tmp_path / "summary.csv").write_text("elbo,-23.384\n")
    verify(tmp_path / "summary.csv")
