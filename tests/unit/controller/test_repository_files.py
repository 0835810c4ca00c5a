"""Files that other services read: GitHub's workflow, and the entry of Snakemake's catalog."""

import os
import re
from pathlib import Path
from typing import Any

import yaml

ROOT = Path(__file__).parents[3]
CI = ROOT / ".github" / "workflows" / "ci.yml"


def github_workflow() -> dict[Any, Any]:
    workflow: dict[Any, Any] = yaml.safe_load(CI.read_text())
    return workflow


def test_github_runs_what_ci_runs() -> None:
    workflow = github_workflow()
    assert set(workflow[True]) == {"push", "pull_request"}  # YAML 1.1 reads `on` as true
    commands = [step.get("run", "") for step in workflow["jobs"]["debian"]["steps"]]
    assert ".ci/run" in commands
    assert os.access(ROOT / ".ci" / "run", os.X_OK)


def test_github_workflow_may_read_alone_and_runs_nothing_that_can_change() -> None:
    workflow = github_workflow()
    assert workflow["permissions"] == {"contents": "read"}
    steps = [step for job in workflow["jobs"].values() for step in job["steps"]]
    actions = [step for step in steps if "uses" in step]
    assert actions
    for step in actions:
        assert re.fullmatch(r"actions/[\w-]+@[0-9a-f]{40}", step["uses"]), step
        if step["uses"].startswith("actions/checkout@"):
            assert step["with"]["persist-credentials"] is False
    # An expression in a script would be text that others write.
    assert not [step for step in steps if "${{" in step.get("run", "")]


def test_github_tries_each_python_that_the_readme_promises() -> None:
    oldest, newest = re.findall(r"Python 3\.(\d+) to 3\.(\d+)", (ROOT / "README.md").read_text())[0]
    promised = [f"3.{minor}" for minor in range(int(oldest), int(newest) + 1)]
    assert github_workflow()["jobs"]["controller"]["strategy"]["matrix"]["python"] == promised


def test_github_tries_the_plugin_on_each_python_and_the_oldest_snakemake_of_its_claims() -> None:
    plugin = ROOT / "plugins" / "snakemake-executor-plugin-qsub" / "pyproject.toml"
    claimed = re.findall(r"Python :: (3\.\d+)", plugin.read_text())
    tried = github_workflow()["jobs"]["plugin"]["strategy"]["matrix"]["include"]
    assert [each["python"] for each in tried if each["snakemake"] == "newest"] == claimed
    assert {"python": claimed[0], "snakemake": "oldest"} in tried


def test_files_that_the_caches_keys_are_made_of_exist() -> None:
    for pattern in re.findall(r"hashFiles\((.*?)\)", CI.read_text()):
        for name in re.findall(r"'(.*?)'", pattern):
            assert list(ROOT.glob(name)), name


def test_catalog_finds_what_it_asks_for() -> None:
    entry = yaml.safe_load((ROOT / ".snakemake-workflow-catalog.yml").read_text())
    usage = entry["usage"]
    assert set(usage) <= {"mandatory-flags", "software-stack-deployment", "report"}
    assert set(usage["mandatory-flags"]) == {"desc", "flags"}
    readme = (ROOT / "README.md").read_text().lower()
    assert "snakemake" in readme and "workflow" in readme
    for name in ("workflow/Snakefile", "config/README.md", "config/config.yaml", "LICENSE"):
        assert (ROOT / name).is_file(), name
