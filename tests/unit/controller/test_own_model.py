"""Runs of the user's own model: which files belong to them, and what is refused."""

from hashlib import sha256
from pathlib import Path
from typing import Any

import pytest

from elboflow.specification.resolve import part, resolve
from elboflow.vae.spec import SpecError, TrainingSpec, parse, verify_files


def config(**run: Any) -> dict[str, Any]:
    digits = {"source": "digits", "validation_images": 200, "test_images": 397}
    return {"datasets": {"digits": digits}, "defaults": {}, "runs": {"one": run}}


FILES = {
    "my_models.py": "from layers import Dense\nimport parts.conv\nclass Ladder: ...",
    "layers.py": "def late():\n    import deeper",
    "deeper.py": "import json",
    "parts/__init__.py": "from . import norms",
    "parts/conv.py": "from .inner.block import Block\nfrom ..nothing import more",
    "parts/norms.py": "",
    "parts/inner/block.py": "from ..shapes import *",
    "parts/shapes.py": "",
    "unused.py": "",
}


@pytest.fixture(autouse=True)
def folder(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Path:
    for name, content in FILES.items():
        (tmp_path / name).parent.mkdir(exist_ok=True, parents=True)
        (tmp_path / name).write_text(content)
    (tmp_path / "weights.pt").write_bytes(b"any")
    monkeypatch.chdir(tmp_path)
    return tmp_path


OWN = {"model": "my_models.py:Ladder", "observes": "binary"}


def test_the_files_of_a_run_are_the_model_what_it_imports_from_beside_it_and_weights() -> None:
    found = resolve(config(**OWN, weights="weights.pt"), "one")["files"]
    names = {*FILES, "weights.pt"} - {"unused.py"}
    assert found == {name: sha256(Path(name).read_bytes()).hexdigest() for name in names}


def test_a_built_in_model_has_no_files() -> None:
    assert resolve(config(), "one")["files"] == {}


@pytest.mark.parametrize("edited", ["my_models.py", "parts/shapes.py", "weights.pt"])
def test_files_that_are_not_those_of_the_specification_are_refused(edited: str) -> None:
    training = part(resolve(config(**OWN, weights="weights.pt"), "one"), "training")
    spec = parse(TrainingSpec, training, "training.json")
    verify_files(spec)
    Path(edited).write_text("# edited")
    with pytest.raises(SpecError, match=rf"^{edited}: was edited .* start Snakemake again$"):
        verify_files(spec)
    Path(edited).unlink()
    with pytest.raises(SpecError, match=rf"^{edited}: cannot be read \(No such file"):
        verify_files(spec)
