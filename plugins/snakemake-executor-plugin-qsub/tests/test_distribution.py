"""What is published: the README's first run, a wheel that works where it is installed, an sdist."""

import os
import re
import subprocess
import sys
import tarfile
import tomllib
from pathlib import Path

import pytest

PLUGIN = Path(__file__).parents[1]
PROJECT = tomllib.loads((PLUGIN / "pyproject.toml").read_text())["project"]
SITE = "-P gxx00000 -q rt_HF -l select=1"  # what the stand-in wants, as ABCI does


def first_run(folder: Path, dialect: str, site: str, python: str | Path = sys.executable):
    """Write the README's workflow; its command for a scheduler, with what a site wants besides."""
    text = (PLUGIN / "README.md").read_text()
    (snakefile,) = re.findall(r"```python\n(.*?)```", text, re.DOTALL)
    (folder / "Snakefile").write_text(snakefile)
    commands = re.findall(r"```sh\n(snakemake.*?)```", text, re.DOTALL)
    (command,) = [each for each in commands if f"--qsub-dialect {dialect}" in each]
    assert "'qsub " in command and len(snakefile.splitlines()) == 3
    command = command.replace("'qsub ", f"'qsub {site} ")
    return ["bash", "-c", f'{python} -m {command.rstrip()} "$@"', "readme"]


def test_the_readmes_first_run(tmp_path: Path) -> None:
    stand_in = PLUGIN / "tests" / "pbs_stand_in"
    environment = {
        **os.environ,
        "PATH": f"{stand_in}{os.pathsep}{os.environ['PATH']}",
        "PBS_STAND_IN": str(tmp_path / "pbs"),
    }
    command = first_run(tmp_path, "pbs", SITE)
    done = subprocess.run(
        command, cwd=tmp_path, env=environment, capture_output=True, text=True, check=False
    )
    assert done.returncode == 0, done.stderr
    assert (tmp_path / "hello.txt").read_text().strip()


@pytest.fixture(scope="module")
def built(tmp_path_factory: pytest.TempPathFactory) -> Path:
    pytest.importorskip("build")
    pytest.importorskip("hatchling")
    folder = tmp_path_factory.mktemp("dist")
    words = ["-m", "build", "--no-isolation", "--outdir", str(folder), str(PLUGIN)]
    subprocess.run([sys.executable, *words], check=True, capture_output=True)
    return folder


def test_pypi_would_take_it(built: Path) -> None:
    pytest.importorskip("twine")
    words = ["-m", "twine", "check", "--strict", *map(str, built.iterdir())]
    done = subprocess.run([sys.executable, *words], capture_output=True, text=True, check=False)
    assert (done.returncode, done.stdout.count("PASSED")) == (0, 2), done.stdout


def test_the_sdist_holds_tests_and_licence(built: Path) -> None:
    (sdist,) = built.glob("*.tar.gz")
    stem = sdist.name.removesuffix(".tar.gz")
    with tarfile.open(sdist) as archive:
        names = {name.removeprefix(f"{stem}/") for name in archive.getnames()}
    wanted = {"LICENSE", "CHANGELOG.md", "tests/test_distribution.py", "tests/pbs_stand_in/qsub"}
    assert wanted <= names


def test_a_wheel_in_an_environment_of_its_own(built: Path, tmp_path: Path) -> None:
    """Of this environment the new one sees Snakemake, behind its own packages."""
    environment, (wheel,) = tmp_path / "venv", built.glob("*.whl")
    subprocess.run([sys.executable, "-m", "venv", "--without-pip", environment], check=True)
    python = environment / "bin" / "python"
    words = ["-m", "pip", "--python", str(python), "install", "--quiet", "--no-deps", "--no-index"]
    subprocess.run([sys.executable, *words, str(wheel)], check=True)
    (packages,) = environment.glob("lib/python3*/site-packages")
    import snakemake

    assert snakemake.__file__
    (packages / "here.pth").write_text(f"{Path(snakemake.__file__).parents[1]}\n")
    command = first_run(tmp_path, "pbs", SITE, python)
    done = subprocess.run(
        [*command, "--executor", "qsub-plan"],
        cwd=tmp_path,
        capture_output=True,
        text=True,
        check=False,
    )
    assert f"qsub {SITE} -N hello -l walltime=00:05:00" in done.stdout, done.stderr
    found = subprocess.run(
        [python, "-c", "import snakemake_executor_plugin_qsub as q; print(q.__file__)"],
        check=True,
        capture_output=True,
        text=True,
    )
    assert Path(found.stdout.strip()).is_relative_to(packages)
    assert (packages / "snakemake_executor_plugin_qsub" / "py.typed").exists()


def test_the_changelog_begins_with_this_version() -> None:
    newest = re.search(r"^## (\S+)", (PLUGIN / "CHANGELOG.md").read_text(), re.MULTILINE)
    assert newest and newest[1] == PROJECT["version"]
