"""A finished run as an RO-Crate, by the rule that packs it."""

import shutil

from rocrate.rocrate import ROCrate

from checkout import REPOSITORY


def test_a_finished_run_is_packed(finished):
    for name in ("CITATION.cff", "LICENSE", "README.md", "requirements.txt"):
        shutil.copy2(REPOSITORY / name, finished.folder)
    finished.run("crate")
    run = ROCrate(finished.folder / "results" / "crate").get("#run")
    packed = {entity.id for entity in [*run["object"], *run["result"]]}
    assert "config/config.yaml" in packed and "results/data/digits/manifest.json" in packed
    assert "results/report.html" in packed and "results/tables/paper.tex" in packed
    assert "results/runs/wide/seed1/model.safetensors" in packed
    assert finished.planned("crate") == {}
