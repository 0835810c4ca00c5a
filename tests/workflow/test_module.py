"""The workflow as a part of another one, which lies in another folder."""

import re
import subprocess
import sys
from pathlib import Path

import pytest
import yaml

from checkout import REPOSITORY, TINY, Checkout

OTHER_WORKFLOW = """
configfile: "config/config.yaml"


module elboflow:
    snakefile:
        {snakefile}
    config:
        config["models"]
    {more}


use rule * from elboflow as elboflow_*


rule count_runs:
    default_target: True
    input:
        rules.elboflow_all.input,
        table="results/tables/summary.csv",
    output:
        "runs.txt",
    shell:
        "wc -l {{input.table}} > {{output}}"
"""


@pytest.fixture
def other(tmp_path):
    """A folder with no file of ours, in which Snakemake runs."""
    (tmp_path / "other" / "config").mkdir(parents=True)
    return Checkout(tmp_path / "other")


def local(snakefile):
    return repr(str(REPOSITORY / snakefile))


def with_module(other, snakefile, more=""):
    """Use the workflow as another one does, which names its Snakefile by such an expression."""
    text = OTHER_WORKFLOW.format(snakefile=snakefile, more=more)
    (other.folder / "Snakefile").write_text(text)
    other.configure({"models": TINY, "another": "workflow's key"})


@pytest.mark.parametrize("snakefile", ["Snakefile", "workflow/Snakefile"])
def test_all_rules_are_there_under_other_names(other, snakefile):
    with_module(other, local(snakefile))
    planned = other.planned()
    ours = {name.removeprefix("elboflow_"): n for name, n in planned.items() if "_" in name}
    assert planned["count_runs"] == 1 and ours["train"] == 2 and ours["report"] == 1
    assert ours["plot_samples"] == 1, "whose rule is named by a loop"


def test_a_profile_speaks_of_rules_by_the_names_that_they_have(other):
    with_module(other, local("workflow/Snakefile"))
    printed = other.snakemake("-n", "--set-resources", "elboflow_train:tasks_per_node=1").stdout
    asked = printed.partition("rule elboflow_smoke_test:")[2].partition("\n\n")[0]
    assert "tasks_per_node=1" in asked, "the smoke test has as many ranks as a training"


def test_results_lie_where_the_module_says(other):
    with_module(other, local("workflow/Snakefile"), 'pathvars: results="models"')
    printed = other.snakemake("-n", "elboflow_all", "elboflow_crate").stdout
    for path in ("models/report.html", "models/data/digits/test.npy", "models/crate"):
        assert path in printed
    assert not re.search(r"[ ,=]results/", printed)


@pytest.mark.parametrize("word", ['prefix: "models"', 'replace_prefix: {"results/": "models/"}'])
def test_a_prefix_is_refused_in_a_line_that_says_what_to_do(other, word):
    with_module(other, local("workflow/Snakefile"), word)
    printed = other.snakemake("-n").stdout
    assert 'pathvars: results="FOLDER"' in printed and "Traceback" not in printed


def test_a_mistake_in_its_configuration_is_one_line(other):
    with_module(other, local("workflow/Snakefile"))
    other.configure({"models": {**TINY, "rnus": {}}})
    printed = other.snakemake("-n").stdout
    assert "rnus" in printed and "Traceback" not in printed


def git(checkout, command):
    subprocess.run(["git", *command.split()], cwd=checkout.folder, check=True)


@pytest.fixture
def hosted(tmp_path, monkeypatch):
    """A repository that git finds under github.com/elboflow/elboflow, with a tag v1."""
    repository = tmp_path / "hosting" / "elboflow" / "elboflow"
    checkout = Checkout.fresh(repository)
    (repository / "LICENSE").write_text("MIT\n")
    settings = tmp_path / "gitconfig"
    settings.write_text(
        f'[url "file://{tmp_path}/hosting/"]\n    insteadOf = https://github.com/\n'
        "[user]\n    name = a\n    email = a@example.org\n[init]\n    defaultBranch = main\n"
    )
    monkeypatch.setenv("GIT_CONFIG_GLOBAL", str(settings))
    monkeypatch.setenv("XDG_CACHE_HOME", str(tmp_path / "cache"))
    for command in ("init --quiet", "add .", "commit --quiet --message first", "tag v1"):
        git(checkout, command)
    return checkout


def deploy(other, *reference):
    source = "https://github.com/elboflow/elboflow"
    snakedeploy = Path(sys.executable).parent / "snakedeploy"
    command = [snakedeploy, "deploy-workflow", source, other.folder, *reference]
    subprocess.run(command, check=True, capture_output=True, text=True)


def test_snakedeploy_gives_a_workflow_with_the_same_bytes(other, hosted, finished_once):
    (other.folder / "config").rmdir()
    deploy(other, "--tag", "v1")
    assert (other.folder / "workflow" / "Snakefile").is_file()
    assert other.planned()["train"] > 2, "of the configuration that was deployed"
    other.configure(TINY)
    other.borrow_environment()
    other.run()
    ours, theirs = finished_once.folder / "results", other.folder / "results"
    # Not the report, which names the configuration's file in a checkout alone.
    for name in ("tables/runs.csv", "tables/summary.csv", "figures/samples.svg"):
        assert (ours / name).read_bytes() == (theirs / name).read_bytes(), name
    assert other.planned() == {}, "nothing is left to do"


def test_another_commit_is_checked_out_anew(other, hosted):
    (other.folder / "config").rmdir()
    deploy(other, "--branch", "main")
    other.configure(TINY)
    assert other.planned()["train"] == 2
    schema = hosted.folder / "workflow" / "schemas" / "config.schema.yaml"
    changed = yaml.safe_load(schema.read_text())
    changed["properties"]["added"] = {"type": "string"}
    schema.write_text(yaml.safe_dump(changed))
    git(hosted, "commit --quiet --all --message second")
    other.configure({**TINY, "added": "a key"})
    assert other.planned()["train"] == 2


def test_files_of_a_commit_without_a_server(other, hosted):
    with_module(other, f"'git+file://{hosted.folder}/workflow/Snakefile@v1'")
    assert other.planned()["elboflow_train"] == 2


def test_files_that_come_one_by_one_are_refused_in_a_line(other, hosted):
    with_module(other, 'github("elboflow/elboflow", path="Snakefile", tag="v1")')
    printed = other.snakemake("-n").stdout
    assert "name workflow/Snakefile as the module's Snakefile" in printed
    assert "Traceback" not in printed
