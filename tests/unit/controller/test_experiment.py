"""What an experiment is called, and where its results lie."""

from pathlib import Path

import pytest

from elboflow.specification.check_schema import complaint_about
from elboflow.specification.experiment import TAKEN, experiment_folder, experiment_name
from elboflow.specification.yaml_readings import ConfigError

CONFIG = {
    "datasets": {"digits": {"source": "digits", "validation_images": 200, "test_images": 397}},
    "runs": {"one": {}},
}


def test_the_default_has_no_name_however_its_path_is_written(tmp_path, monkeypatch):
    monkeypatch.chdir(tmp_path)
    for file in (None, Path("config/config.yaml"), tmp_path / "config" / "." / "config.yaml"):
        assert experiment_name({}, file) is None
    assert experiment_folder(Path("results"), None) == Path("results")


@pytest.mark.parametrize("file", ["fashion.yaml", "config/fashion.json", "/elsewhere/fashion"])
def test_another_file_gives_its_name(file):
    assert experiment_name({}, Path(file)) == "fashion"
    assert experiment_folder(Path("results"), "fashion") == Path("results/fashion")


def test_a_file_of_the_same_name_elsewhere_is_not_the_default():
    assert experiment_name({}, Path("other/config.yaml")) == "config"


@pytest.mark.parametrize("file", [None, Path("fashion.yaml")])
def test_the_key_is_above_the_file(file):
    assert experiment_name({"name": "mine-2.1"}, file) == "mine-2.1"


@pytest.mark.fault("a file whose name can be no folder's", outcome="refused in one line")
@pytest.mark.parametrize("stem", ["my models", "é", "-n", ".hidden", "a\nb", "$(id)", "a" * 101])
def test_a_file_whose_name_is_no_folder_is_refused(stem):
    with pytest.raises(ConfigError, match=r"\Aconfig: --configfile [^\n]* a `name:` of [^\n]*\Z"):
        experiment_name({}, Path(f"{stem}.yaml"))


@pytest.mark.fault("an experiment named as what lies in results/", outcome="refused in one line")
@pytest.mark.parametrize("name", [*sorted(TAKEN), "Runs", "DATA"])
def test_the_folder_of_something_else_is_refused(name):
    with pytest.raises(ConfigError, match=r"\Aconfig: name: [^\n]* another `name:`\Z"):
        experiment_name({"name": name})


@pytest.mark.parametrize("name", ["", ".", "..", "a/b", "../a", "a b", "a\n", "<results>", "{run}"])
def test_a_key_that_is_no_folder_is_refused(name):
    complaint = complaint_about({**CONFIG, "name": name})
    assert complaint and "\n" not in complaint and "begins with a letter or digit" in complaint


@pytest.mark.parametrize("name", [12, True, 1.5])
def test_a_key_that_is_no_text_is_refused_with_what_to_write(name):
    assert "put it in quotes if it is a name" in complaint_about({**CONFIG, "name": name})
