"""Commands of the documentation: each is planned, or run on a small result, as it stands there."""

import os
import shlex
import shutil
import subprocess

import numpy as np
import pytest

from checkout import ENVIRONMENT, REPOSITORY
from documentation import PAGES, blocks, commands

# Each but once, however a page plans it first. Those of the profiles' pages are tried in
# test_abci.py; pythae.yaml needs weights of pythae.
PLANNED = sorted(
    {
        line.removesuffix(" -n")
        for page in PAGES
        for line in commands(page, "snakemake")
        if "profiles" not in page.parts and "pythae.yaml" not in line
    }
)
FILES = {"my.yaml": "tutorial", "my_images.yaml": "own_data", "mine.yaml": "own_model"}
TRIED = [line for page in PAGES for line in commands(page, "elboflow")]


@pytest.fixture
def reader(fresh):
    """A checkout with the files that the pages let their reader write."""
    for name, page in FILES.items():
        block = blocks(REPOSITORY / "docs" / f"{page}.md", "yaml")[0]
        (fresh.folder / name).write_text(block)
    model = blocks(REPOSITORY / "docs" / "own_model.md", "python")[0]
    (fresh.folder / "my_models.py").write_text(model)
    shutil.copytree(REPOSITORY / "examples", fresh.folder / "examples")
    for name, side in {"images": 8, "enlarged_digits": 28}.items():
        np.save(fresh.folder / f"{name}.npy", np.zeros((1797, side, side), np.uint8))
    return fresh


@pytest.mark.parametrize("line", PLANNED)
def test_a_command_of_snakemake_is_one_that_plans(reader, line):
    words = shlex.split(line)[1:]
    plan = [] if "qsub-plan" in words else ["-n"]
    result = reader.snakemake(*words, *plan, ABCI_GROUP="gaa00000")
    assert result.returncode == 0, result.stdout


@pytest.mark.parametrize("line", TRIED)
def test_a_command_of_elboflow_runs(finished_once, tmp_path, line):
    (tmp_path / "results").symlink_to(finished_once.folder / "results")
    words = shlex.split(line.replace("large_latent", "plain"))[1:]
    result = subprocess.run(
        [ENVIRONMENT / "venv/bin/python", "-m", "elboflow", *words],
        cwd=tmp_path,
        env={**os.environ, "PYTHONPATH": str(REPOSITORY / "workflow/scripts")},
        capture_output=True,
        text=True,
        check=False,
    )
    assert result.returncode == 0, result.stderr
