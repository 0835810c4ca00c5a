"""What prerequisites.sh says where things are missing: on a PATH that holds only fakes."""

import subprocess
from pathlib import Path

import pytest

SCRIPT = Path("workflow/scripts/prerequisites.sh").absolute()
PYTHON = """#!/bin/sh
case $2 in
    *version_info\\[:3\\]*) echo {version} ;;
    *'< (3, 11)'*) exit {too_old} ;;
    *Python.h*) exit {no_headers} ;;
    *ensurepip*) exit {no_venv} ;;
esac
"""


def add(folder: Path, name: str, text: str = "#!/bin/sh\n") -> None:
    (folder / name).write_text(text)
    (folder / name).chmod(0o755)


def add_python(
    folder: Path,
    version: str = "3.12.1",
    too_old: int = 0,
    no_headers: int = 0,
    no_venv: int = 0,
    name: str = "python3",
) -> None:
    flags = {"too_old": too_old, "no_headers": no_headers, "no_venv": no_venv}
    add(folder, name, PYTHON.format(version=version, **flags))


@pytest.fixture
def programs(tmp_path: Path) -> Path:
    """A folder in which nothing is missing."""
    add_python(tmp_path)
    add(tmp_path, "make")
    add(tmp_path, "git")
    add(tmp_path, "g++", "#!/bin/sh\necho 12.2.0\n")
    return tmp_path


def check(programs: Path, python: str = "python3", **environment: str) -> list[str]:
    """The lines that it prints; none exactly when it ends well."""
    done = subprocess.run(
        ["/bin/sh", str(SCRIPT), python],
        env={"PATH": str(programs), "HOME": str(programs), **environment},
        capture_output=True,
        text=True,
        check=False,
    )
    lines = (done.stdout + done.stderr).splitlines()
    assert done.returncode == bool(lines)
    return lines


def test_silent_where_nothing_is_missing(programs: Path) -> None:
    assert check(programs) == []


@pytest.mark.parametrize("name", ["make", "git", "g++", "python3"])
def test_names_the_package_of_what_is_missing(programs: Path, name: str) -> None:
    (programs / name).unlink()
    line, *advice = check(programs)
    assert f"(Debian: {name})" in line
    assert ["COLLECTIVES=torch" in each for each in advice] == [True] * (name == "g++")


def test_neither_compiler_nor_headers_are_needed_where_torch_adds(programs: Path) -> None:
    add_python(programs, no_headers=1)
    (programs / "g++").unlink()
    assert check(programs, COLLECTIVES="torch") == []
    assert len(check(programs)) == 3


def test_names_the_version_of_an_old_python(programs: Path) -> None:
    add_python(programs, version="3.9.2", too_old=1)
    (line,) = check(programs)
    assert "3.9.2" in line
    assert "3.11" in line


def test_names_everything_at_once(programs: Path) -> None:
    add_python(programs, no_headers=1, no_venv=1)
    (programs / "make").unlink()
    (programs / "git").unlink()
    add(programs, "g++", "#!/bin/sh\necho 9.3.0\n")
    *lines, _ = check(programs)
    packages = ["python3-dev", "python3-venv", "make", "git", "g++"]
    assert [line.partition("(Debian: ")[2].rstrip(")").split()[0] for line in lines] == packages
    assert "9.3.0" in lines[-1]


def test_packages_of_another_python_carry_its_version(programs: Path) -> None:
    add_python(programs, version="3.13.0", no_venv=1, name="python3.13")
    (line,) = check(programs, "python3.13")
    assert "(Debian: python3.13-venv)" in line


def test_cxx_names_another_compiler(programs: Path) -> None:
    add(programs, "g++", "#!/bin/sh\necho 9.3.0\n")
    add(programs, "g++-12", "#!/bin/sh\necho 12.2.0\n")
    assert check(programs, CXX="g++-12") == []
    line, _ = check(programs, CXX="nowhere")
    assert "'nowhere'" in line


def test_a_cache_that_cannot_be_written_is_named(programs: Path) -> None:
    cache = programs / "make" / "cache"  # below a file, which stops root as well
    (line,) = check(programs, XDG_CACHE_HOME=str(cache))
    assert line == f"The cache folder {cache} cannot be written: set XDG_CACHE_HOME to one that can"
