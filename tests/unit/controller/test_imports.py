"""The modules that a script consists of."""

import subprocess
import sys
from pathlib import Path

import pytest

from elboflow.files.imports import CHANGES_NO_RESULT, modules_of

ROOT = Path(__file__).parents[3]
SCRIPTS = ROOT / "workflow" / "scripts"
TRAINING = ROOT / ".test-environment/venv/bin/python"
SCRIPTS_OF = {
    TRAINING: ["train", "evaluate", "ais_bounds", "smoke_test"],
    sys.executable: ["report", "machine_report", "paper", "chapter_gradients", "fetch_data"],
}


@pytest.fixture
def folder(tmp_path):
    files = {
        "door.py": "import plain, os\nfrom room.inner import thing\nfrom room import progress",
        "plain.py": "def late():\n    from room import other",
        "room/__init__.py": "",
        "room/inner.py": "import door",
        "room/other.py": "this is no Python",
        "room/alone.py": "",
        "room/progress.py": "import plain, only_shown",
        "only_shown.py": "",
    }
    for name, content in files.items():
        (tmp_path / name).parent.mkdir(exist_ok=True)
        (tmp_path / name).write_text(content)
    return tmp_path


def names(folder, **options):
    found = modules_of(folder / "door.py", **options)
    return [str(Path(path).relative_to(folder)) for path in found]


def test_what_is_imported_through_others_and_in_functions_counts(folder):
    found = ["door.py", "plain.py", "room/__init__.py", "room/inner.py", "room/other.py"]
    assert names(folder, without={"room.progress"}) == found
    assert names(folder, without=set()) == sorted([*found, "only_shown.py", "room/progress.py"])


def test_what_is_left_out_is_there():
    files = {name: SCRIPTS / f"{name.replace('.', '/')}.py" for name in CHANGES_NO_RESULT}
    assert [name for name, file in files.items() if not file.exists()] == []


LOADED = """
import importlib, sys
sys.path.insert(0, sys.argv[1])
importlib.import_module(sys.argv[2])
files = [getattr(module, "__file__", None) or "" for module in sys.modules.values()]
print(*(file for file in files if file.startswith(sys.argv[1])), sep="\\n")
"""


@pytest.mark.parametrize(
    ("python", "script"),
    [(python, script) for python, scripts in SCRIPTS_OF.items() for script in scripts],
)
def test_python_loads_no_module_that_is_not_found(python, script):
    command = [python, "-c", LOADED, str(SCRIPTS), script]
    loaded = subprocess.run(command, capture_output=True, text=True, check=True).stdout.split()
    assert len(loaded) > 1
    assert set(loaded) <= set(modules_of(SCRIPTS / f"{script}.py", without=set()))
