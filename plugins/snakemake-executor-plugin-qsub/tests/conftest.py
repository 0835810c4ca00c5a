"""Answers of real schedulers, and the parts of the plugin with a clock that tests turn."""

import re
from collections.abc import Callable
from pathlib import Path

import pytest
from snakemake_executor_plugin_qsub.commands import Answer
from snakemake_executor_plugin_qsub.journal import Journal
from snakemake_executor_plugin_qsub.record import Record

HERE = Path(__file__).parent


def read_answer(scheduler: str, name: str) -> Answer:
    """A captured answer: the command, its stdout, its stderr, its exit code."""
    text = (HERE / scheduler / f"{name}.txt").read_text()
    _, stdout, stderr, code = re.fullmatch(
        r"\$ (.*?)\n(.*?)--- stderr\n(.*?)--- exit (\d+)\n?", text, re.DOTALL
    ).groups()
    return Answer(stdout, stderr, int(code))


@pytest.fixture
def pbs_answer() -> Callable[[str], Answer]:
    return lambda name: read_answer("pbs", name)


@pytest.fixture
def gridengine_answer() -> Callable[[str], Answer]:
    return lambda name: read_answer("gridengine", name)


@pytest.fixture
def journal(tmp_path: Path) -> Journal:
    return Journal(tmp_path / "qsub")


@pytest.fixture
def make_record(journal: Journal) -> Callable[..., Record]:
    """A submitted job."""

    def make(token: str = "train-1", job_id: str = "1.es1", **changes: object) -> Record:
        values = {"key": token, "digest": "d", "log": "job.log", "seconds": 3600, **changes}
        return journal.submitted(journal.open(Record(token, **values)), job_id)

    return make
