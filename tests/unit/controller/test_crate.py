"""The RO-Crate of a run, read back with the library that writes it."""

import hashlib
import json
import os
from pathlib import Path

import pytest
import yaml
from rocrate.rocrate import ROCrate

from elboflow.pages.crate import add_author, write_crate
from elboflow.reading.errors import InputError

ROOT = Path(__file__).parents[3]
ENDED = 1_790_000_000  # 2026-09-21 14:13:20 UTC
FILES = {
    "report.html": "<html>",
    "tables/summary.csv": "run,quantity\n",
    "runs/plain/run.json": "{}",
    "runs/plain/seed1/model.safetensors": "weights",
    "data/digits/manifest.json": "{}",
}
BUILD = {"python": "3.11.7", "torch": "2.13.0", "horovod": "0.28.1", "platform": "linux"}


@pytest.fixture
def results(tmp_path):
    for name, content in FILES.items():
        path = tmp_path / "results" / name
        path.parent.mkdir(parents=True, exist_ok=True)
        path.write_text(content)
    os.utime(tmp_path / "results" / "report.html", (ENDED, ENDED))
    (tmp_path / "results" / "build.json").write_text(json.dumps(BUILD))
    return tmp_path / "results"


def make_crate(results, folder, *more):
    inputs = ["runs/plain/run.json", "data/digits/manifest.json"]
    outputs = ["report.html", "tables/summary.csv", "runs/plain/seed1/model.safetensors"]
    write_crate(
        folder,
        ROOT,
        results,
        inputs=[ROOT / "config" / "config.yaml", *(results / name for name in inputs), *more],
        outputs=[results / name for name in outputs],
        build=results / "build.json",
        snakemake_version="9.27.1",
    )
    return folder


def test_what_went_in_and_what_came_out_is_there_with_its_digest(results, tmp_path):
    folder = make_crate(results, tmp_path / "crate")
    run = ROCrate(folder).get("#run")
    names = {
        "object": ["config/config.yaml", *(f"results/{name}" for name in list(FILES)[2::2])],
        "result": [f"results/{name}" for name in [*list(FILES)[:2], list(FILES)[3]]],
    }
    for role, expected in names.items():
        assert [entity.id for entity in run[role]] == expected
        for entity in run[role]:
            content = (folder / entity.id).read_bytes()
            assert entity["sha256"] == hashlib.sha256(content).hexdigest()
            assert entity["contentSize"] == str(len(content))


def test_the_class_of_a_model_is_where_the_model_looks_for_it(results, tmp_path, monkeypatch):
    here, beside = tmp_path / "models/mine.py", tmp_path / "elsewhere/mine.py"
    for path in (here, beside, tmp_path / "config/mine.py"):
        path.parent.mkdir(exist_ok=True)
        path.write_text(str(path.parent.name))
    (tmp_path / "clone").mkdir()
    monkeypatch.chdir(tmp_path)
    folder = make_crate(results, tmp_path / "crate", here)
    assert (folder / "models/mine.py").read_text() == "models"
    monkeypatch.chdir(tmp_path / "clone")
    folder = make_crate(results, tmp_path / "other", beside)
    assert (folder / "config/mine.py").read_text() == "elsewhere"
    with pytest.raises(InputError, match=r"another file has its place in the crate, config/mine"):
        make_crate(results, tmp_path / "third", beside, tmp_path / "config/mine.py")


def test_workflow_people_and_licence_are_those_of_the_repository(results, tmp_path):
    crate = ROCrate(folder := make_crate(results, tmp_path / "crate"))
    citation = yaml.safe_load((ROOT / "CITATION.cff").read_text())
    assert crate.mainEntity.id == "Snakefile"
    assert crate.mainEntity["version"] == citation["version"]
    assert crate.license["name"] == citation["license"]
    assert crate.creator["name"] == citation["authors"][0]["name"]
    versions = {
        entity["name"]: entity["softwareVersion"]
        for entity in crate.mainEntity["softwareRequirements"]
    }
    assert versions == {name: BUILD[name] for name in ("python", "torch", "horovod")}
    assert (folder / "workflow" / "rules" / "train.smk").is_file()
    assert not list(folder.rglob("__pycache__"))
    profiles = [entity["name"] for entity in crate.root_dataset["conformsTo"]]
    assert "Workflow Run Crate" in profiles


def test_horovod_is_named_only_where_ranks_added_by_it(results, tmp_path):
    build = results / "build.json"
    build.write_text(json.dumps({name: BUILD[name] for name in BUILD if name != "horovod"}))
    crate = ROCrate(make_crate(results, tmp_path / "crate"))
    used = crate.mainEntity["softwareRequirements"]
    assert [entity["name"] for entity in used] == ["python", "torch"]


def test_the_same_run_gives_the_same_bytes_and_names_no_folder_of_the_machine(results, tmp_path):
    first, second = (make_crate(results, tmp_path / name) for name in ("first", "second"))
    metadata = (first / "ro-crate-metadata.json").read_text()
    assert metadata == (second / "ro-crate-metadata.json").read_text()
    assert str(tmp_path) not in metadata and str(ROOT) not in metadata
    dates = {ROCrate(first).get("#run")["endTime"], ROCrate(first).datePublished.isoformat()}
    assert dates == {"2026-09-21T14:13:20+00:00"}


def test_a_person_is_known_by_orcid():
    author = {"given-names": "Ada", "family-names": "L", "orcid": "https://orcid.org/0000-0001"}
    person = add_author(ROCrate(), author)
    assert (person.id, person.type, person["name"]) == (author["orcid"], "Person", "Ada L")
