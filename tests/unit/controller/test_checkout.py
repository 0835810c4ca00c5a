"""How `make` begins: with an environment that works where the checkout lies, or with one line."""

import os
import subprocess
from collections.abc import Callable
from pathlib import Path

import pytest

SCRIPTS = Path(__file__).parents[3] / "workflow" / "scripts"
Done = subprocess.CompletedProcess[str]
# The system's Python, quicker: an environment without pip.
PYTHON = """#!/bin/sh
case "$*" in *"-m venv"*) exec python3 "$@" --without-pip ;; esac
exec python3 "$@"
"""


@pytest.fixture
def prepare(tmp_path: Path) -> Callable[[Path], Done]:
    """What make does first of all, in a checkout in that folder."""
    python = tmp_path / "python"
    python.write_text(PYTHON)
    python.chmod(0o755)

    def run(folder: Path, venv: str = ".venv") -> Done:
        command = ["sh", str(SCRIPTS / "controller.sh"), venv, str(python)]
        return subprocess.run(
            command, cwd=folder, capture_output=True, text=True, errors="replace", check=False
        )

    return run


def works(folder: Path) -> bool:
    command = [str(folder / ".venv/bin/python"), "-c", "import sys; print(sys.prefix)"]
    return subprocess.check_output(command, text=True).strip() == str(folder / ".venv")


NAMES = ["a b", "a'b", 'a"b', "a$b", "a;b", "a{b}", "a:b", "a\nb", "a\tb", "a&b", "a(b", "a\\b"]
NAMES += ["a*", "a?", "a[b]", "a|b", "a`b", "a<b", "a\udcff"]


@pytest.mark.fault(
    "a checkout below a folder with a blank, a quote, `$`, `:` or the like in its name",
    outcome="`make` and `snakemake` refuse in one line, before anything is made",
)
@pytest.mark.parametrize("name", NAMES)
def test_a_path_that_cannot_work_is_one_line(prepare, tmp_path: Path, name: str) -> None:
    folder = tmp_path / name / "checkout"
    folder.mkdir(parents=True)
    done = prepare(folder)
    assert done.returncode == 1
    (line,) = done.stderr.splitlines()
    assert line.startswith(f"{tmp_path}/a")
    assert " cannot be used: a path must be UTF-8 and have no blanks" in line
    assert list(folder.iterdir()) == []
    elsewhere = tmp_path / "elsewhere"
    elsewhere.mkdir()
    assert prepare(elsewhere, venv=str(folder / ".venv")).returncode == 1
    assert list(elsewhere.iterdir()) == []


@pytest.mark.parametrize("name", ["plain", "é日本%=@,+~!^-#", "-a", "x" * 200])
def test_other_paths_work(prepare, tmp_path: Path, name: str) -> None:
    folder = tmp_path / name
    folder.mkdir()
    assert (prepare(folder).returncode, works(folder)) == (0, True)
    before = (folder / ".venv/pyvenv.cfg").stat().st_mtime_ns
    for venv in (".venv", "./.venv/", f"../{name}/.venv"):
        again = prepare(folder, venv)
        assert (again.returncode, again.stderr) == (0, "")
    assert (folder / ".venv/pyvenv.cfg").stat().st_mtime_ns == before


@pytest.mark.fault("a clone that was moved or copied", outcome="`make` makes `.venv` anew, says so")
@pytest.mark.parametrize("how", ["moved", "copied", "through a link"])
def test_a_clone_in_another_place_gets_an_environment_of_its_own(
    prepare, tmp_path: Path, how: str
) -> None:
    old, new = tmp_path / "old", tmp_path / "new"
    old.mkdir()
    prepare(old)
    if how == "through a link":
        new.symlink_to(old)
        assert prepare(new).stderr == ""
        return
    subprocess.run(["mv" if how == "moved" else "cp", *["-r"] * (how == "copied"), old, new])
    done = prepare(new)
    assert done.stderr.startswith(".venv was made in another place")
    assert (done.returncode, len(done.stderr.splitlines()), works(new)) == (0, 1, True)


@pytest.mark.fault("the Python of `.venv` is gone", outcome="`make` makes `.venv` anew, says so")
def test_an_environment_whose_python_is_gone_is_made_anew(prepare, tmp_path: Path) -> None:
    prepare(tmp_path)
    python = tmp_path / ".venv/bin/python"
    python.unlink()
    python.symlink_to("/usr/bin/python3.of.last.year")
    assert "with a Python that is gone" in prepare(tmp_path).stderr
    assert works(tmp_path)


@pytest.mark.fault(
    "VENV names a folder, or an environment that another program made (uv, virtualenv)",
    outcome="`make` refuses in one line, and leaves it alone",
)
@pytest.mark.parametrize("record", ["", "home = /usr/bin\nuv = 0.9.0\n"])
def test_what_make_has_not_made_is_left_alone(prepare, tmp_path: Path, record: str) -> None:
    (tmp_path / ".venv").mkdir()
    (tmp_path / ".venv/precious").touch()
    if record:
        (tmp_path / ".venv/pyvenv.cfg").write_text(record)
    done = prepare(tmp_path)
    told = "no virtual environment that make has made: name another in VENV, or remove it"
    assert done.stderr == f".venv is {told}\n"
    assert (tmp_path / ".venv/precious").exists()


def test_an_environment_that_was_not_finished_is_made_anew(prepare, tmp_path: Path) -> None:
    prepare(tmp_path)
    (tmp_path / ".venv/pyvenv.cfg").unlink()
    assert (prepare(tmp_path).returncode, works(tmp_path)) == (0, True)


@pytest.mark.parametrize(
    ("given", "venv"),
    [
        ({}, ".venv"),
        ({"VENV": "", "PYTHON": ""}, ".venv"),
        ({"VENV": "~/env", "HOME": "/me"}, "/me/env"),
        ({"VENV": "/a/b"}, "/a/b"),
    ],
)
def test_places_are_what_make_is_told(given: dict[str, str], venv: str) -> None:
    """Also where a shell has left its ~ as it is, or an empty variable."""
    own = {name: value for name, value in os.environ.items() if name not in ("VENV", "PYTHON")}
    rule = ["make", "--dry-run", "--file", str(SCRIPTS.parents[1] / "Makefile")]
    for command, variables in (([*rule, *map("=".join, given.items())], {}), (rule, given)):
        told = subprocess.check_output(
            [*command, f"{venv}/pyvenv.cfg"], env={**own, **variables}, text=True, cwd="/"
        )
        assert f'controller.sh "{venv}" "python3"\n' in told


@pytest.mark.fault("a checkout that cannot be written", outcome="`make` says so in one line")
def test_a_folder_that_cannot_be_written_is_one_line(prepare) -> None:
    """Not by its mode, which does not stop root."""
    done = prepare(Path("/proc"))
    assert (done.returncode, done.stderr) == (
        1,
        "/proc cannot be written: put the checkout elsewhere\n",
    )


@pytest.mark.fault("a checkout on a noexec file system", outcome="`make` says so in one line")
def test_a_file_system_without_programs_is_one_line(prepare, tmp_path: Path) -> None:
    folder = tmp_path / "noexec"
    folder.mkdir()
    mount = ["mount", "-t", "tmpfs", "-o", "noexec,size=1m", "none", str(folder)]
    if os.geteuid() or subprocess.run(mount, capture_output=True).returncode:
        pytest.skip("no file system can be mounted here")
    try:
        done = prepare(folder)
        assert done.stderr.endswith("no programs start (noexec): put the checkout elsewhere\n")
        assert (done.returncode, list(folder.iterdir())) == (1, [])
    finally:
        subprocess.run(["umount", str(folder)], check=True)
