"""A copy of the workflow in a folder of its own, in which a test runs Snakemake."""

import os
import re
import shutil
import subprocess
import sys
from collections.abc import Mapping
from pathlib import Path
from typing import Any

import yaml

REPOSITORY = Path(__file__).parents[1]
ENVIRONMENT = REPOSITORY / ".test-environment"

TINY: dict[str, Any] = {
    "chapter": False,
    "datasets": {"digits": {"source": "digits", "validation_images": 60, "test_images": 40}},
    "defaults": {
        "dataset": "digits",
        "latent_dim": 2,
        "encoder_layers": [16],
        "decoder_layers": [16],
        "batch_size": 200,
        "epochs": 3,
        "importance_samples": 20,
        "elbo_samples": 10,
        "figure_images": 4,
        "ais_images": 0,
        "seeds": [1],
        "tasks_per_node": 2,
    },
    "runs": {"plain": {}, "wide": {"latent_dim": 5}},
}


class Checkout:
    """A copy of the workflow's files, with a configuration and the shared environment."""

    def __init__(self, folder: Path) -> None:
        self.folder = folder
        self.config = folder / "config" / "config.yaml"

    @classmethod
    def fresh(cls, folder: Path) -> "Checkout":
        folder.mkdir(parents=True)
        for name in ("workflow", "config", "profiles", "abci"):
            shutil.copytree(REPOSITORY / name, folder / name)
        for name in ("Snakefile", "CITATION.cff"):
            shutil.copy2(REPOSITORY / name, folder)
        return cls(folder)

    def configure(self, config: Mapping[str, Any]) -> None:
        self.config.write_text(yaml.safe_dump(dict(config)))

    def borrow_environment(self) -> None:
        """Use the tests' training environment as if build_environment had made it here."""
        environment = self.folder / "results" / "environment"
        environment.mkdir(parents=True)
        (environment / "venv").symlink_to(ENVIRONMENT / "venv")
        for name in ("build.json", "packages.txt"):
            shutil.copy(ENVIRONMENT / name, environment)

    def snakemake(self, *arguments: str, **environment: str) -> subprocess.CompletedProcess[str]:
        return subprocess.run(
            [sys.executable, "-m", "snakemake", *arguments],
            cwd=self.folder,
            env={**os.environ, **environment},
            stdout=subprocess.PIPE,
            stderr=subprocess.STDOUT,
            text=True,
            timeout=300,
            check=False,
        )

    def run(self, *arguments: str) -> str:
        result = self.snakemake("--cores", "2", *arguments)
        assert result.returncode == 0, result.stdout
        return result.stdout

    def planned(self, *arguments: str) -> dict[str, int]:
        """Rules that a dry run would start, and how often."""
        result = self.snakemake("-n", *arguments)
        assert result.returncode == 0, result.stdout
        table = result.stdout.partition("Job stats:")[2].partition("total")[0]
        return {rule: int(count) for rule, count in re.findall(r"^(\w+) +(\d+)$", table, re.M)}

    def copy(self, folder: Path) -> "Checkout":
        """A copy with results, records and times."""
        shutil.copytree(self.folder, folder, symlinks=True)
        return Checkout(folder)


def submit_lines(output: str) -> dict[str, str]:
    """The submit lines of a plan by what they are for."""
    return dict(re.findall(r"^# (.*)\n(qsub .*)$", output, re.M))
