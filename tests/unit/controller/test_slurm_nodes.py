"""Slurm's answers, of a stand-in for sinfo and squeue."""

from pathlib import Path

import pytest

from elboflow.specification.slurm_nodes import idle_nodes, nodes_of_job


@pytest.fixture
def answer(tmp_path: Path, monkeypatch: pytest.MonkeyPatch):
    """Lets both commands print a text, and end with a code."""

    def write(text: str, code: int = 0) -> None:
        for name in ("sinfo", "squeue"):
            (tmp_path / name).write_text(f"#!/bin/sh\nprintf '{text}'\nexit {code}\n")
            (tmp_path / name).chmod(0o755)

    monkeypatch.setenv("PATH", str(tmp_path))
    return write


@pytest.mark.parametrize(
    ("partition", "text", "idle"),
    [
        (None, "cpu idle 9\\ngpu* idle 3\\n", 3),
        (None, "cpu idle 9\\n", 0),
        (None, "gpu* drained 1\\ngpu* idle 2\\ngpu* mixed 4\\ngpu* completing 1\\n", 2),
        (None, "", 0),
        ("gpu", "gpu idle 2\\n", 2),
        ("gpu,long", "gpu* idle 2\\nlong allocated 7\\nlong idle 5\\n", 5),
    ],
)
def test_idle_nodes_are_those_of_the_partition(answer, partition, text, idle):
    answer(text)
    assert idle_nodes(partition) == idle


@pytest.mark.parametrize(
    ("text", "nodes"), [("2\\n", 2), (" 12 \\n", 12), ("", None), ("1 2", None)]
)
def test_a_job_has_the_nodes_that_squeue_tells(answer, text, nodes):
    answer(text)
    assert nodes_of_job("7") == nodes


def test_no_answer_is_none(answer):
    assert idle_nodes("gpu") is None and nodes_of_job("7") is None, "no such commands"
    answer("gpu* idle 2", code=1)
    assert idle_nodes("gpu") is None and nodes_of_job("7") is None
    assert nodes_of_job(None) is None
