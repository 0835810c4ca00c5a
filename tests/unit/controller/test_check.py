"""Mistakes in a file of a configuration: each is refused in one line that says where."""

from pathlib import Path

import pytest
import yaml

from checkout import TINY
from elboflow.specification.check import ConfigError, check
from elboflow.specification.config_files import check_files, read_file
from elboflow.specification.schema import boolean_keys

CONFIG = Path("config/config.yaml")
WEIGHTED = {"objective": "importance_weighted", "beta": 2}
BOTH_SIZES = {"batch_size": 5, "batch_per_rank": 5}
NO_PATH = {"source": "file", "validation_images": 1}
NO_TEST = {"source": "digits", "validation_images": 60}
NOTHING_LEFT = {**NO_TEST, "test_images": 1737}


@pytest.fixture(autouse=True)
def folder(tmp_path, monkeypatch):
    """Where a configuration is to be written."""
    monkeypatch.chdir(tmp_path)
    CONFIG.parent.mkdir()


def refusal():
    """The one line with which the rules refuse it, which read it as here."""
    with pytest.raises(ConfigError, match=r"\Aconfig: [^\n]+\Z") as refused:
        check_files([CONFIG], boolean_keys())
        check(read_file(CONFIG, boolean_keys()))
    return str(refused.value)


@pytest.mark.parametrize(
    ("section", "name", "value", "message"),
    [
        ("defaults", "latent_dimm", 3, "defaults: unknown key 'latent_dimm', did you mean"),
        ("runs", "bad", {"epochs": 0}, "runs.bad.epochs: 0 is less than the minimum of 1"),
        ("runs", "bad", {"epochs": "many"}, "runs.bad.epochs: 'many' is not of type 'integer'"),
        ("runs", "bad", {"likelihood": "cauchy"}, "runs.bad.likelihood: 'cauchy' is not one of"),
        ("runs", "bad", {"dataset": "mnist"}, "runs.bad.dataset: no data set 'mnist', known"),
        ("runs", "bad", {"tasks_per_node": 41}, "runs.bad: 41 ranks are more than the 40 images"),
        ("runs", "bad", BOTH_SIZES, "runs.bad: give batch_size or batch_per_rank, not both"),
        ("runs", "bad", WEIGHTED, "runs.bad: importance_weighted is a bound only"),
        ("runs", "bad", {"latent_dim": 10.0}, "runs.bad.latent_dim: 10.0 is not of type 'integer'"),
        (
            "runs",
            "bad",
            {"beta": float("nan")},
            "runs.bad.beta: YAML reads .nan as nan; write a finite",
        ),
        ("runs", "bad", {"learning_rate": "1e-3"}, "is not of type 'number', write 0.001"),
        ("runs", "bad", {"epochs": "3"}, "is not of type 'integer', write 3 ("),
        ("runs", "bad", {"batch_size": 1698}, "runs.bad.batch_size: 1698 is more than the 1697"),
        ("runs", "bad", {"figure_images": 41}, "runs.bad.figure_images: there are only 40 test"),
        ("runs", "../bad", {}, "'../bad' does not match"),
        ("runs", "bad\n", {}, "does not match"),
        ("runs", 1, {}, "line 27: the key runs.1 is a number to YAML; write '1', in quotes"),
        (None, "runs", {}, "runs: {} should be non-empty"),
        (None, "runs", None, "runs: nothing stands below it"),
        (None, "datasets", {}, "datasets: {} should be non-empty"),
        (None, "trian", {}, "top level: unknown key 'trian'"),
        ("datasets", "mine", NO_PATH, "datasets.mine.path: the source file needs the path"),
        ("datasets", "mine", {**NO_PATH, "path": "no.npy"}, "datasets.mine.path: no.npy: no such"),
        ("datasets", "digits", {**NO_TEST, "data_dir": "x"}, "digits.data_dir: the source digits"),
        ("datasets", "digits", NO_TEST, "datasets.digits.test_images: digits has no test split"),
        ("datasets", "digits", NOTHING_LEFT, "datasets.digits: no training images are left"),
        (None, "environment", {"torch": "site"}, "environment.site_python: torch site needs"),
        (
            *(None, "environment", {"collectives": "torch", "horovod_sdist": "a"}),
            "environment.horovod_sdist: collectives torch builds no Horovod",
        ),
        (
            *(None, "environment", {"container": "a.sif", "build_variables": {"CC": "gcc"}}),
            "environment.build_variables: in a container nothing is built",
        ),
    ],
)
def test_a_mistake_is_one_line(section, name, value, message):
    part = TINY if section is None else TINY[section]
    changed = {**part, name: value}
    config = changed if section is None else {**TINY, section: changed}
    CONFIG.write_text(yaml.safe_dump(config))
    assert message in refusal()


@pytest.mark.fault("a configuration that cannot be read", outcome="refused in one line")
@pytest.mark.parametrize("content", ["", "[1, 2]", "runs: [", "just words"])
def test_a_file_that_is_no_mapping_is_refused(content):
    CONFIG.write_text(content)
    assert "config: config/config.yaml" in refusal()


@pytest.mark.fault(
    "YAML that grows exponentially or contains itself", outcome="refused in one line"
)
@pytest.mark.parametrize(
    ("content", "message"),
    [
        (
            "a: &a {x: 1}\n"
            + "".join(
                f"a{n}: &a{n} {{x: *a{n - 1 or ''}, y: *a{n - 1 or ''}}}\n" for n in range(1, 40)
            ),
            "config/config.yaml, line 16: more than 50000 values",
        ),
        ("runs: &a {b: *a}", "config/config.yaml, line 1: runs.b contains itself"),
        ("runs: " + 60 * "[", "config/config.yaml, line 1: more than 50 levels"),
    ],
)
def test_what_would_never_end_is_refused(content, message):
    CONFIG.write_text(content)
    assert message in refusal()
