"""No experiment takes the place of another, nor its data sets."""

from pathlib import Path

import pytest

from elboflow.specification.experiment_record import record, refuse_other_records, write_record
from elboflow.specification.yaml_readings import ConfigError

DATASETS = {"digits": {"source": "digits", "test_images": 397}}
OTHERS = {"digits": {"source": "digits", "test_images": 40}}


@pytest.fixture
def results(tmp_path, monkeypatch):
    """Those of one/same.yaml, called same."""
    monkeypatch.chdir(tmp_path)
    for name in ("one", "two"):
        Path(name).mkdir()
        Path(name, "same.yaml").touch()
    results = Path("results")
    (results / "same").mkdir(parents=True)
    write_record(results, "same", record(Path("one/same.yaml"), DATASETS))
    return results


def test_the_same_configuration_goes_on_also_when_it_was_edited(results):
    refuse_other_records(results, "same", record(Path("one/same.yaml"), OTHERS))


@pytest.mark.fault(
    "two configurations that come to the same name", outcome="the second is refused in one line"
)
def test_another_file_of_the_same_name_is_refused(results):
    line = r"\Aconfig: results/same has [^\n]*one/same[^\n]*two/same[^\n]* another `name:`[^\n]*\Z"
    with pytest.raises(ConfigError, match=line):
        refuse_other_records(results, "same", record(Path("two/same.yaml"), DATASETS))


def test_a_file_that_was_moved_is_the_same_experiments(results):
    Path("one/same.yaml").rename("moved.yaml")
    refuse_other_records(results, "same", record(Path("moved.yaml"), DATASETS))


@pytest.mark.fault(
    "another data set of the name of one that experiments share", outcome="refused in one line"
)
@pytest.mark.parametrize("name", [None, "other"])
def test_another_data_set_of_the_same_name_is_refused(results, name):
    with pytest.raises(
        ConfigError, match=r"\Aconfig: datasets.digits: [^\n]* another name[^\n]*\Z"
    ):
        refuse_other_records(results, name, record(Path("other.yaml"), OTHERS))
    refuse_other_records(results, name, record(Path("other.yaml"), DATASETS))


@pytest.mark.parametrize("content", [b"", b"{", b"[]", b'{"datasets": 3}', b"\xff", b"[" * 100_000])
def test_a_damaged_record_is_no_obstacle(results, content):
    (results / "same" / "experiment.json").write_bytes(content)
    refuse_other_records(results, "same", record(Path("two/same.yaml"), OTHERS))
    refuse_other_records(results, "other", record(Path("two/same.yaml"), OTHERS))
