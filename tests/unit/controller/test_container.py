"""A training environment in an image, with a stand-in for apptainer and a folder for the image."""

import argparse
import json
import os
import subprocess
import sys
from collections.abc import Callable
from pathlib import Path

import pytest

from elboflow.environment import build, container

# Runs a program of the image as one of this machine, and tells how it was called.
APPTAINER = """\
#!/bin/sh
[ "$1" = --version ] && echo "apptainer version 1.3.4" && exit
echo "$@" >>"$0.calls"
[ "$1" = exec ] || exit 1
while [ "${1#*.sif}" = "$1" ]; do shift; done
image=$1 python=$2
shift 2
exec "$image$python" "$@"
"""
BUILD = {"collectives": "torch", "gpu": "none", "mpi": "", "torch": "2.13.0+cpu"}


def program(path: Path, text: str) -> Path:
    path.write_text(text)
    path.chmod(0o755)
    return path


@pytest.fixture
def image(tmp_path: Path) -> Path:
    """An image in the form of a folder, as `apptainer build --sandbox` makes it."""
    root = tmp_path / "an image.sif" / "opt" / "elboflow"
    subprocess.run([sys.executable, "-m", "venv", "--without-pip", root / "venv"], check=True)
    (package,) = (root / "venv").glob("lib/python3*/site-packages")
    (package / "typing_extensions-4.16.0.dist-info").mkdir()
    (package / "typing_extensions-4.16.0.dist-info" / "METADATA").write_text(
        "Metadata-Version: 2.1\nName: typing_extensions\nVersion: 4.16.0+cpu\n"
    )
    (root / "build.json").write_text(json.dumps(BUILD))
    return tmp_path / "an image.sif"


@pytest.fixture
def host(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Path:
    """Its folder of programs: apptainer and an mpirun."""
    folder = tmp_path / "bin"
    folder.mkdir()
    program(folder / "apptainer", APPTAINER)
    program(folder / "mpirun", "#!/bin/sh\necho 'mpirun (Open MPI) 4.1.7a1'\n")
    monkeypatch.setenv("PATH", f"{folder}{os.pathsep}/usr/bin{os.pathsep}/bin")
    return folder


@pytest.fixture
def make(tmp_path: Path, image: Path, monkeypatch: pytest.MonkeyPatch) -> Callable[..., Path]:
    """Build the environment; its folder."""
    results = tmp_path / "results" / "environment"

    def run(**changes: object) -> Path:
        for name in ("torch.txt", "training.txt"):
            (tmp_path / name).write_text("# pins\ntyping-extensions==4.16.0  # torch\n")
        paths = {name: results / name for name in ("venv", "build_json", "packages", "log")}
        given = {
            **{"container": image, "collectives": "torch", "torch": "pinned", "gpu": "auto"},
            **{"build_variable": [], "site_python": None},
            "pins": [tmp_path / "torch.txt", tmp_path / "training.txt"],
        }
        arguments = argparse.Namespace(**paths, **{**given, **changes})
        monkeypatch.setattr(build, "parse_args", lambda: arguments)
        build.main()
        return results

    return run


def test_the_environments_interpreter_is_the_images(
    make: Callable[..., Path], host: Path, image: Path, tmp_path: Path
) -> None:
    made = make()
    told = json.loads((made / "build_json").read_text())
    assert told == {
        **BUILD,
        "mpi": "mpirun (Open MPI) 4.1.7a1",
        "mpi_source": "system",
        "mpi_in_image": "",
        "container": "apptainer version 1.3.4",
    }
    assert (made / "packages").read_text() == "typing_extensions==4.16.0+cpu\n"
    code = "import sys; print(sys.prefix, sys.argv[1:])"
    words = [made / "venv" / "bin" / "python", "-Es", "-c", code, "a word", "*"]
    there = {**os.environ, "TMPDIR": "/tmp/of a job"}
    done = subprocess.run(words, cwd=host, env=there, check=True, capture_output=True, text=True)
    assert done.stdout == f"{image}/opt/elboflow/venv ['a word', '*']\n"
    call = (host / "apptainer.calls").read_text().splitlines()[-1]
    for folder in (container.CODE, tmp_path / "results", host, "/tmp/of a job"):
        assert f"--bind {folder} " in call


@pytest.mark.parametrize(
    ("changes", "complaint"),
    [
        ({"container": Path("none.sif")}, "there is no none.sif: `apptainer build none.sif"),
        ({"gpu": "cuda"}, "environment.gpu is cuda, and the image was built for none"),
        ({"collectives": "horovod"}, "environment.collectives is horovod, and the image was"),
    ],
)
def test_an_image_that_is_not_what_is_wanted_is_one_line(
    make: Callable[..., Path], host: Path, changes: dict[str, object], complaint: str
) -> None:
    with pytest.raises(SystemExit, match=f"^build_environment: .*{complaint}"):
        make(**changes)


def test_an_image_of_other_pins_is_refused(
    make: Callable[..., Path], host: Path, image: Path
) -> None:
    (metadata,) = image.rglob("METADATA")
    metadata.write_text(metadata.read_text().replace("4.16.0", "4.15.0"))
    with pytest.raises(SystemExit, match=r"lacks what is pinned \(typing-extensions==4\.16\.0\)"):
        make()


@pytest.mark.parametrize("text", ["", "{", "[]", "null"])
def test_a_damaged_image_is_one_line(
    make: Callable[..., Path], host: Path, image: Path, text: str
) -> None:
    (image / "opt" / "elboflow" / "build.json").write_text(text)
    with pytest.raises(SystemExit, match="tells nothing of itself"):
        make()


@pytest.mark.parametrize(
    ("missing", "complaint"),
    [("apptainer", "needs apptainer or singularity on PATH"), ("mpirun", "no mpirun on PATH")],
)
def test_what_a_host_must_have(
    make: Callable[..., Path],
    host: Path,
    missing: str,
    complaint: str,
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    (host / missing).unlink()
    which = container.shutil.which
    seen = {name: which(name) for name in ("apptainer", "singularity", "mpirun")}
    found = {name: path for name, path in seen.items() if path and str(host) in path}
    monkeypatch.setattr(container.shutil, "which", found.get)
    with pytest.raises(SystemExit, match=complaint):
        make()


def test_an_image_whose_python_does_not_start_is_one_line(
    make: Callable[..., Path], host: Path
) -> None:
    program(host / "apptainer", "#!/bin/sh\necho 'FATAL: no space left' >&2\nexit 255\n")
    with pytest.raises(SystemExit, match="FATAL: no space left"):
        make()
