"""A report of what is whole so far: of which trainings, and where it is made."""

import json

import yaml

from elboflow.pages.so_far import configuration, files_outside, new_folder, prepare
from elboflow.specification.check import check

CONFIG = {
    "runs": {"a": {"beta": 2}, "b": {}},
    "sweeps": {"s": {}},
    "scores": {"a": ["noise"], "b": ["noise"]},
    "scaling": {"run": "b", "ranks": [1, 2]},
}


def test_the_configuration_is_that_of_whole_trainings_alone():
    found = configuration(CONFIG, {"a": [2]}, "name-so-far")
    assert found == {
        "name": "name-so-far",
        "runs": {"a": {"beta": 2, "seeds": [2]}},
        "scores": {"a": ["noise"]},
        "chapter": False,
        "scaling": None,
    }


def test_nothing_of_the_running_experiment_can_be_written(tmp_path, monkeypatch):
    """All folders are new but those of stages, whose rules the other Snakemake does not have."""
    real = tmp_path / "real"
    for name in ("results/runs/a/seed1", "results/runs/a/seed2", "results/data", "config"):
        (real / name).mkdir(parents=True)
    (real / "results/runs/a/run.json").write_text("{}")
    (real / ".snakemake").mkdir()
    monkeypatch.chdir(real)
    folder = tmp_path / "other"
    folder.mkdir()
    config = configuration(CONFIG, {"a": [2]}, "so-far")
    part = prepare(folder, config, real / "results", real / "results", [{"run": "a"}])
    assert sorted(path.name for path in folder.iterdir()) == ["config", "results", "so_far.yaml"]
    assert sorted(path.name for path in (part / "runs/a").iterdir()) == ["run.json", "seed2"]
    assert not any(path.is_symlink() for path in (part, part / "runs", part / "runs/a"))
    assert json.loads((part / "missing.json").read_text()) == [{"run": "a"}]


def test_files_beside_the_clone_are_found_from_the_new_folder(tmp_path, monkeypatch):
    here = tmp_path / "above/clone"
    here.mkdir(parents=True)
    monkeypatch.chdir(here)
    paths = {"../images.npy": "images", "../../far/w.pt": "weights", "in.npy": "inside"}
    for path, text in paths.items():
        (here / path).resolve().parent.mkdir(exist_ok=True)
        (here / path).resolve().write_text(text)
    config = yaml.safe_load("""
        datasets:
          mine: {source: file, path: ../images.npy, validation_images: 2, test_images: 2}
          other: {source: file, path: in.npy, validation_images: 2, test_images: 2}
        runs: {given: {dataset: mine, weights: ../../far/w.pt, batch_size: 2, figure_images: 2}}
    """)
    outside = files_outside(check(config, read_files=False))
    assert outside == ["../../far/w.pt", "../images.npy"]
    folder = new_folder(tmp_path / "temporary", outside)
    assert tmp_path / "temporary" in folder.parents
    assert {path: (folder / path).read_text() for path in outside} == {
        path: paths[path] for path in outside
    }
