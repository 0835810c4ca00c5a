"""A stage's outputs: all or none, and none once an input was edited."""

import pytest

from elboflow.files.stage_outputs import Edited, taken, write_outputs


def names(folder):
    return sorted(path.name for path in folder.iterdir() if not path.name.endswith(".sha256"))


@pytest.fixture
def stage(tmp_path):
    """Input, its digest at the start, and outputs of which one is there from before."""
    specification = tmp_path / "training.json"
    specification.write_text("{}")
    outputs = {tmp_path / "model.pt": b"new", tmp_path / "metrics.csv": b"new"}
    (tmp_path / "model.pt").write_bytes(b"old")
    return specification, taken(specification), outputs


def test_outputs_are_written_with_those_that_nobody_reads(stage, tmp_path):
    _, inputs, outputs = stage
    write_outputs(outputs, inputs, unrecorded={tmp_path / "machine" / "speed.json": b"{}"})
    assert {path.read_bytes() for path in outputs} == {b"new"}
    assert (tmp_path / "machine" / "speed.json").read_bytes() == b"{}"
    assert names(tmp_path) == ["machine", "metrics.csv", "model.pt", "training.json"]


@pytest.mark.fault(
    "an input of a stage edited, deleted or replaced by a folder while it works",
    outcome="one line that names the input; no output changes",
)
@pytest.mark.parametrize("edit", ["edited", "deleted", "folder"])
def test_nothing_is_written_once_an_input_was_edited(stage, tmp_path, edit):
    specification, inputs, outputs = stage
    specification.unlink()
    if edit == "edited":
        specification.write_text("{ }")
    if edit == "folder":
        specification.mkdir()
    with pytest.raises(Edited, match=r"training.json was edited while this ran: .*; start again"):
        write_outputs(outputs, inputs)
    assert (tmp_path / "model.pt").read_bytes() == b"old"
    assert "metrics.csv" not in names(tmp_path)
    assert not list(tmp_path.glob(".*.part"))


def test_an_input_of_the_same_content_is_no_other_one(stage):
    specification, inputs, outputs = stage
    specification.unlink()
    specification.write_text("{}")
    write_outputs(outputs, inputs)


@pytest.mark.fault(
    "one of a stage's outputs cannot be written", outcome="it is named; no other output changes"
)
def test_where_one_output_cannot_be_written_no_other_is(stage, tmp_path):
    _, inputs, outputs = stage
    (tmp_path / "file").touch()
    with pytest.raises(OSError) as error:
        write_outputs({**outputs, tmp_path / "file" / "last.csv": b"new"}, inputs)
    assert str(tmp_path / "file") in str(error.value)
    assert (tmp_path / "model.pt").read_bytes() == b"old"
    assert "metrics.csv" not in names(tmp_path)
