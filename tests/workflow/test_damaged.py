"""A result that was damaged since it was written is made again, and not believed."""

import os
import re

import pytest

RUN = "results/runs/plain/seed1"
FILES = {
    "results/runs/plain/training.json": "resolve_run",
    f"{RUN}/model.safetensors": "train",
    f"{RUN}/model.json": "train",
    f"{RUN}/metrics.csv": "train",
    f"{RUN}/per_image.csv": "evaluate",
    f"{RUN}/images.npz": "evaluate",
    f"{RUN}/walks.npz": "evaluate",
    "results/data/digits/test_labels.npy": "fetch_labels",
    "results/data/digits/test_binary.npy": "fetch_data",
    "results/data/digits/manifest.json": "fetch_data",
    "results/tables/summary.csv": "gather_tables",
    "results/figures/training_curves.svg": "plot_training_curves",
}


def flip(path):
    """Change one byte in the middle, and none of the file's times but the one nobody can set."""
    content, before = bytearray(path.read_bytes()), path.stat()
    content[len(content) // 2] ^= 1
    path.write_bytes(content)
    os.utime(path, ns=(before.st_atime_ns, before.st_mtime_ns))


def bytes_of_results(checkout):
    results = checkout.folder / "results"
    kept = [*FILES, "results/report.html", f"{RUN}/summary.csv", "results/tables/runs.csv"]
    return {name: (results.parent / name).read_bytes() for name in kept}


@pytest.mark.fault(
    "a bit of a model, table, array, figure or specification is flipped, its time left as it was",
    outcome="the plan names the file, the next start makes it again, to the same bytes",
)
def test_damaged_results_are_named_and_made_again(finished):
    before = bytes_of_results(finished)
    for name in FILES:
        flip(finished.folder / name)
    plan = finished.snakemake("-n")
    assert plan.returncode == 0, plan.stdout
    warned = re.findall(r"^(.*): damaged, its content is not what was", plan.stdout, re.M)
    assert sorted(warned) == sorted(FILES)
    assert [rule for rule in FILES.values() if f"rule {rule}:" not in plan.stdout] == []
    finished.run()
    assert bytes_of_results(finished) == before
    assert finished.planned() == {}


@pytest.mark.parametrize("rule", sorted(set(FILES.values())))
def test_one_damaged_result_is_enough(finished, rule):
    flip(finished.folder / next(name for name in FILES if FILES[name] == rule))
    assert finished.planned()[rule] == 1


def test_a_damaged_file_that_no_rule_makes_any_more_is_no_matter(finished, tiny):
    config = tiny()
    del config["runs"]["wide"]
    finished.configure(config)
    before = finished.planned()
    flip(finished.folder / "results/runs/wide/seed1/model.safetensors")
    assert finished.planned() == before and "train" not in before


@pytest.mark.parametrize("rule", ["gather_tables", "evaluate"])
def test_a_stage_refuses_what_was_damaged_after_the_plan(finished, rule):
    """As a job sees it whose input is damaged while it waits: jobs do not plan again."""
    name = {"gather_tables": f"{RUN}/summary.csv", "evaluate": f"{RUN}/model.safetensors"}[rule]
    target = {"gather_tables": "results/tables/runs.csv", "evaluate": f"{RUN}/summary.csv"}[rule]
    damaged = finished.folder / "workflow" / "rules" / "damaged.smk"
    damaged.write_text("")
    flip(finished.folder / name)
    done = finished.snakemake("--cores", "2", "--forcerun", target, "--", target)
    assert done.returncode != 0
    assert f"error: {name}: damaged, its content is not what was written; start" in done.stdout
