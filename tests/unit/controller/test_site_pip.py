"""pip sees where a site's packages come from, and nothing else of a user's settings."""

import os
import subprocess
import sys
import zipfile
from pathlib import Path

import pytest

from elboflow.environment.site_pip import environment

SCRIPT = Path(__file__).parents[3] / "workflow" / "scripts" / "elboflow/environment/site_pip.py"


def test_mirrors_and_certificates_are_handed_on_and_nothing_else() -> None:
    configured = [
        "global.index-url='https://mirror/simple'",
        "global.find-links='\\n/a\\n/b'",
        "global.user='true'",
        "global.no-deps='true'",
        "install.cert='/site.pem'",
        "install.target='/elsewhere'",
        "list.timeout='1'",
        ":env:.index-url='https://ignored'",
    ]
    variables = {"PIP_TRUSTED_HOST": "mirror", "PIP_USER": "1", "PIP_TARGET": "/x", "HOME": "/me"}
    assert environment(variables, configured, "install") == {
        "PIP_INDEX_URL": "https://mirror/simple",
        "PIP_FIND_LINKS": "\n/a\n/b",
        "PIP_CERT": "/site.pem",
        "PIP_TRUSTED_HOST": "mirror",
        "PIP_CONFIG_FILE": os.devnull,
        "HOME": "/me",
    }


def test_a_variable_stands_above_the_files() -> None:
    configured = ["global.index-url='https://file'", "install.index-url='https://section'"]
    assert environment({}, configured, "install")["PIP_INDEX_URL"] == "https://section"
    assert environment({}, configured, "download")["PIP_INDEX_URL"] == "https://file"
    variables = {"PIP_INDEX_URL": "https://variable"}
    assert environment(variables, configured, "install")["PIP_INDEX_URL"] == "https://variable"


HOSTILE = {
    "a pip.conf": {},
    "PIP_CONFIG_FILE": {"PIP_CONFIG_FILE": "HOME/other.conf"},
    "PIP_USER": {"PIP_USER": "1"},
    "PIP_TARGET": {"PIP_TARGET": "HOME/elsewhere"},
    "PIP_PREFIX": {"PIP_PREFIX": "HOME/elsewhere"},
    "PIP_QUIET, PIP_LOG": {"PIP_QUIET": "3", "PIP_LOG": "/nowhere/log"},
    "PIP_REQUIRE_HASHES": {"PIP_REQUIRE_HASHES": "1"},
    "PYTHONPATH": {"PYTHONPATH": "HOME", "PYTHONSTARTUP": "HOME/x", "PYTHONHOME": "/nowhere"},
}


@pytest.fixture(scope="module")
def venv(tmp_path_factory: pytest.TempPathFactory) -> Path:
    folder = tmp_path_factory.mktemp("pip") / "venv"
    subprocess.run([sys.executable, "-I", "-m", "venv", str(folder)], check=True)
    return folder


@pytest.mark.fault(
    "pip.conf or PIP_… with another place, other versions or no dependencies",
    outcome="packages go where they belong, from the mirrors that it names",
)
@pytest.mark.parametrize("name", HOSTILE)
def test_packages_are_installed_where_they_belong(venv: Path, tmp_path: Path, name: str) -> None:
    home, wheels = tmp_path / "home", tmp_path / "wheels"
    wheels.mkdir()
    write_wheel(wheels)
    (home / ".config/pip").mkdir(parents=True)
    (home / "pip").mkdir()
    (home / "pip/__init__.py").write_text("raise SystemExit('another pip')")
    hostile = "[global]\nquiet = 3\nno-index = true\n[install]\nuser = true\nno-deps = false\n"
    for place in (".config/pip/pip.conf", "other.conf"):
        (home / place).write_text(f"{hostile}find-links = {wheels}\n")
    given = {key: value.replace("HOME", str(home)) for key, value in HOSTILE[name].items()}
    own = {key: value for key, value in os.environ.items() if not key.startswith(("PIP_", "XDG_"))}
    pip = [str(venv / "bin/python"), "-I", str(SCRIPT)]
    done = subprocess.run(
        [*pip, "install", "--quiet", "--force-reinstall", "toy"],
        env={**own, "HOME": str(home), **given},
        capture_output=True,
        text=True,
        check=False,
    )
    assert done.returncode == 0, done.stdout + done.stderr
    (installed,) = venv.glob("lib/python3*/site-packages/toy.py")
    installed.unlink()
    assert not (home / "elsewhere").exists()


def write_wheel(folder: Path) -> None:
    """The smallest package there is."""
    info = "toy-1.dist-info"
    with zipfile.ZipFile(folder / "toy-1-py3-none-any.whl", "w") as wheel:
        wheel.writestr("toy.py", "")
        wheel.writestr(f"{info}/METADATA", "Metadata-Version: 2.1\nName: toy\nVersion: 1\n")
        wheel.writestr(
            f"{info}/WHEEL", "Wheel-Version: 1.0\nRoot-Is-Purelib: true\nTag: py3-none-any\n"
        )
        wheel.writestr(
            f"{info}/RECORD", f"toy.py,,\n{info}/METADATA,,\n{info}/WHEEL,,\n{info}/RECORD,,\n"
        )
