"""Mistakes in the configuration die at parse time, in one line that says where.

A mistake of each kind: all of them are in tests/unit/controller/test_check.py.
"""

import pytest


@pytest.mark.parametrize(
    ("section", "name", "value", "message"),
    [
        ("defaults", "latent_dimm", 3, "defaults: unknown key 'latent_dimm', did you mean"),
        ("runs", "bad", {"tasks_per_node": 41}, "runs.bad: 41 ranks are more than the 40 images"),
        (
            "runs",
            "bad",
            {"beta": float("nan")},
            "runs.bad.beta: YAML reads .nan as nan; write a finite",
        ),
        ("runs", 1, {}, "line 27: the key runs.1 is a number to YAML; write '1', in quotes"),
    ],
)
def test_a_mistake_is_one_line_before_anything_starts(fresh, tiny, section, name, value, message):
    config = tiny()
    if section is None:
        config[name] = value
    else:
        config[section] = {**config[section], name: value}
    fresh.configure(config)
    assert message in refusal(fresh)


@pytest.mark.fault("a configuration that cannot be read", outcome="refused in one line")
@pytest.mark.parametrize("content", ["", "runs: ["])
def test_a_file_that_is_no_mapping_is_refused(fresh, content):
    fresh.config.write_text(content)
    assert "config: config/config.yaml" in refusal(fresh)


def refusal(checkout, *arguments):
    """The one line with which Snakemake refuses to plan."""
    result = checkout.snakemake("-n", *arguments)
    assert result.returncode != 0
    assert "Traceback" not in result.stdout
    lines = [line for line in result.stdout.splitlines() if line.startswith("config: ")]
    assert len(lines) == 1, result.stdout
    assert not (checkout.folder / "results").exists()
    return lines[0]


TWICE = "datasets: {}\nruns:\n  a: {beta: 1}\n  a: {beta: 2}\n"


@pytest.mark.fault("a key stands twice in YAML or JSON", outcome="one line with both lines")
def test_two_runs_of_one_name_are_refused(fresh):
    fresh.config.write_text(TWICE)
    assert "config/config.yaml, lines 3 and 4: runs.a stands twice" in refusal(fresh)
    fresh.config.rename(fresh.folder / "other.yaml")
    refused = refusal(fresh, "--configfile", "other.yaml")
    assert "other.yaml, lines 3 and 4: runs.a stands twice" in refused


@pytest.mark.fault("a key stands twice in YAML or JSON", outcome="one line with both lines")
def test_two_rules_of_one_name_in_a_profile_are_refused(fresh):
    profile = fresh.folder / "profiles" / "local" / "profile.yaml"
    profile.write_text("set-resources:\n  train: {runtime: 1}\n  train: {nodes: 2}\n")
    refused = refusal(fresh, "--profile", "profiles/local")
    assert "profile.yaml, lines 2 and 3: set-resources.train stands twice" in refused


@pytest.mark.fault(
    "several --configfiles, or a key of --config twice", outcome="refused in one line"
)
@pytest.mark.parametrize(
    ("arguments", "message"),
    [
        (["--configfile", "config/iwae.yaml", "config/mnist.yaml"], "2 files with --configfile"),
        (["--configfile", "config/iwae.yaml", "--configfile", "config/mnist.yaml"], "is given 2"),
        (["--config", "nodes=1", "--config", "chapter=False"], "--config is given 2 times"),
        (["--config", "nodes=010"], "--config nodes=010: the number would be read as 10"),
        (["--config", "nodes=1", "nodes=2"], "nodes=2: nodes is given twice"),
        (["--cores", "0"], "--cores is 0, and no job could start"),
    ],
)
def test_what_snakemake_would_mix_or_drop_is_refused(fresh, arguments, message):
    assert message in refusal(fresh, *arguments)
