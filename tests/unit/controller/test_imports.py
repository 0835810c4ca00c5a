"""The modules that a script consists of."""

import json
import subprocess
import sys
from pathlib import Path

import pytest

from elboflow.files.imports import CHANGES_NO_RESULT, modules_of

ROOT = Path(__file__).parents[3]
SCRIPTS = ROOT / "workflow" / "scripts"
TRAINING = ROOT / ".test-environment/venv/bin/python"
DOORS = sorted(path.stem for path in SCRIPTS.glob("*.py"))
STAGES = [name for name in DOORS if (SCRIPTS / "elboflow" / "stages" / f"{name}.py").exists()]


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


def test_what_a_script_is_given_to_import_counts(folder):
    found = modules_of(folder / "plain.py", "room.inner", without=set())
    assert {"plain.py", "inner.py", "door.py"} <= {Path(path).name for path in found}


def test_what_is_left_out_is_there():
    files = {name: SCRIPTS / f"{name.replace('.', '/')}.py" for name in CHANGES_NO_RESULT}
    assert [name for name, file in files.items() if not file.exists()] == []


LOADED = """
import importlib, json, sys
folder, *doors = sys.argv[1:]
sys.path.insert(0, folder)
loaded = {}
for door in doors:
    for name in [name for name in sys.modules if name.startswith("elboflow")]:
        del sys.modules[name]  # of the door before
    importlib.import_module(door)
    own = [door, *(name for name in sys.modules if name.startswith("elboflow"))]
    loaded[door] = [sys.modules[name].__file__ for name in own]
print(json.dumps(loaded))
"""


@pytest.mark.parametrize("python", [TRAINING, sys.executable])
def test_python_loads_no_module_that_is_not_found(python):
    doors = STAGES if python == TRAINING else [name for name in DOORS if name not in STAGES]
    command = [python, "-c", LOADED, str(SCRIPTS), *doors]
    done = subprocess.run(command, capture_output=True, text=True, check=True)
    for door, loaded in json.loads(done.stdout).items():
        assert loaded, door
        assert set(loaded) <= set(modules_of(SCRIPTS / f"{door}.py", without=set())), door
