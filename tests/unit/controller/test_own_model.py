"""Runs of the user's own model: which files belong to them, and what is refused."""

import os
from hashlib import sha256
from pathlib import Path
from typing import Any

import pytest

from elboflow.specification.check import check
from elboflow.specification.resolve import part, resolve
from elboflow.specification.yaml_readings import ConfigError
from elboflow.vae.spec import OF_BUILT_IN, SpecError, TrainingSpec, parse, verify_files


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


def complaint(**run: Any) -> str:
    with pytest.raises(ConfigError) as error:
        check(config(**run))
    assert "\n" not in str(error.value)
    return str(error.value).removeprefix("config: runs.one.")


OTHER_KEYS = {"observes": "unit", "model_options": {"width": 3}}


@pytest.mark.parametrize(("key", "value"), OTHER_KEYS.items())
def test_keys_of_an_own_model_are_refused_without_one(key: str, value: Any) -> None:
    assert complaint(**{key: value}).startswith(f"{key}: is of your own model; name it")


@pytest.mark.parametrize("key", OF_BUILT_IN)
def test_keys_of_built_in_models_are_refused_beside_ones_own(key: str) -> None:
    default = resolve(config(), "one")[key]
    said = f"{key}: is of built-in models, and does nothing beside model; take it out"
    assert complaint(**OWN, **{key: default}) == said
    made = config()
    made["defaults"] = {**OWN, key: default}
    with pytest.raises(ConfigError, match=key):
        check(made)


def test_keys_of_built_in_models_for_all_runs_do_not_change_ones_own() -> None:
    made = config(**OWN)
    made["defaults"] = {"posterior": "flow", "kl": "sampled", "latent_dim": 3}
    values = check(made).runs["one"]
    assert (values["posterior"], values["latent_dim"], values["kl"]) == ("gaussian", 10, "sampled")
    assert values["ais_images"] == 0


@pytest.mark.parametrize(
    ("model", "said"),
    [
        ("my_models.py", "model: my_models.py is not path.py:Class, as my_models.py:MyModel"),
        ("my_models:Ladder", "model: my_models:Ladder is not path.py:Class, as my_models.py:M"),
        ("my_models.py:La der", "model: my_models.py:La der is not path.py:Class"),
        (":Ladder", "model: :Ladder is not path.py:Class"),
        ("none.py:Ladder", "model: none.py: no such file; correct the path"),
        ("no\0ne.py:Ladder", r"model: no\x00ne.py: "),
        ("parts:Ladder", "model: parts:Ladder is not path.py:Class"),
        ("results/made.py:A", "model: results/made.py: lies in results/, where old files are"),
        ("my_models.py:Lader", "model: my_models.py has no class Lader; it has Ladder"),
        ("parts/norms.py:A", "model: parts/norms.py has no class A"),
        ("broken.py:A", "model: broken.py, line 2: "),
        ("over_broken.py:A", "model: broken.py, line 2: "),
        ("pipe.py:A", "model: pipe.py: no such file"),
        ("nul.py:A", "model: nul.py: source code string cannot contain null bytes"),
        ("latin.py:A", "model: latin.py, line 1: "),
        ("deep.py:A", "model: deep.py: is nested too deeply"),
        ("empty.py:A", "model: empty.py has no class A"),
    ],
)
def test_a_model_that_cannot_be_found_is_told_in_one_line(model: str, said: str) -> None:
    Path("broken.py").write_text("class A: ...\nclass B(:\n")
    Path("over_broken.py").write_text("import broken\nclass A: ...")
    os.mkfifo("pipe.py")
    for name, content in {"nul": b"a\0", "latin": b"\xe9 = 1", "empty": b""}.items():
        Path(f"{name}.py").write_bytes(content)
    Path("deep.py").write_text("a = " + "-" * 100_000 + "1")
    assert complaint(model=model, observes="binary").startswith(said)


@pytest.mark.parametrize(
    "content", ["Ladder = object", "from layers import *", "import a as Ladder"]
)
def test_a_class_may_come_from_elsewhere(content: str) -> None:
    Path("my_models.py").write_text(f"try:\n    {content}\nexcept ImportError:\n    raise")
    assert check(config(**OWN)).runs["one"]["files"]


def test_a_model_says_what_it_observes() -> None:
    said = "observes: your own model needs it; say binary, unit, levels"
    assert complaint(model="my_models.py:Ladder") == said


@pytest.mark.parametrize(
    ("run", "said"),
    [
        ({"gradient": "score_function"}, "gradient: score_function needs posterior categorical"),
        ({"gradient": "sticking_the_landing"}, "gradient: sticking_the_landing needs objective"),
        ({"free_bits": 1, "kl": "sampled"}, "free_bits: needs objective elbo and kl analytic"),
        ({"precision": "bf16"}, "precision: bf16 is that of layers of built-in networks"),
    ],
)
def test_what_a_model_of_ones_own_cannot_have(run: dict[str, Any], said: str) -> None:
    assert complaint(**OWN, **run).startswith(said)


@pytest.mark.parametrize(
    ("run", "said"),
    [
        ({"weights": ""}, "weights: '' should be non-empty"),
        ({"weights": "weights.npz"}, "weights: weights.npz ends in none of .safetensors, .pt"),
        ({"weights": "none.pt"}, "weights: none.pt: no such file; correct the path"),
        ({"weights": "folder.pt"}, "weights: folder.pt: no such file; correct the path"),
        ({"weights": "weights.pt", "seeds": [1, 2]}, "seeds: weights are of one training"),
    ],
)
def test_weights_that_cannot_be_used_are_told_in_one_line(run: dict[str, Any], said: str) -> None:
    Path("folder.pt").mkdir()
    assert complaint(**run).startswith(said)


def test_weights_are_of_one_seed_and_a_job_need_not_see_them() -> None:
    made = config(weights="weights.pt")
    assert check(made).runs["one"]["seeds"] == [1]
    Path("weights.pt").unlink()
    assert check(made, read_files=False).runs["one"]["weights"] == "weights.pt"
