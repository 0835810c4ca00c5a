"""What Snakemake and the qsub executor leave of jobs, as `make status` reads it."""

import json
import os
import time
from base64 import urlsafe_b64encode
from pathlib import Path

import pytest

from elboflow.reading.records import Records, read_json

OUTPUT = Path("results/runs/a/seed1/model.safetensors")
OWN = {"run": "a", "seed": "1"}
LOG = """\
[Thu Nov 26 17:55:11 2026]
Error in rule train:
    jobid: 3
    input: x
    output: results/runs/a/seed1/model.safetensors, results/runs/a/seed1/model.json
    log: results/logs/train/a/seed1.log (check log file(s) for error details)
"""


def mark(folder: Path, content: str = '{"external_jobid": null}', output: Path = OUTPUT) -> Path:
    """A marker as Snakemake writes it (persistence/file.py)."""
    path = folder / "incomplete" / urlsafe_b64encode(str(output).encode()).decode()
    path.parent.mkdir(parents=True, exist_ok=True)
    path.write_text(content)
    return path


def enqueue(folder: Path, **changes: object) -> None:
    """A record as the executor writes it (journal.py)."""
    key = json.dumps([json.dumps(["train", sorted(OWN.items())])])
    path = folder / "qsub" / "jobs" / "train.a-1" / "record.json"
    path.parent.mkdir(parents=True)
    record = {"key": key, "job_id": "12.pbs1", "withdrawn": False, "since": 1.0}
    path.write_text(json.dumps({**record, **changes}))


def begun(folder: Path) -> str | None:
    found = Records(folder).begun("train", OWN, OUTPUT)
    return None if found is None else found.job_id


def test_of_a_fresh_clone_nothing_is_known(tmp_path):
    assert begun(tmp_path / ".snakemake") is None


def test_a_job_on_this_machine_has_begun_and_no_queue_has_it(tmp_path):
    mark(tmp_path)
    assert begun(tmp_path) == ""


def test_slurms_job_is_known_by_snakemakes_marker(tmp_path):
    path = mark(tmp_path, '{"external_jobid": "4711"}')
    os.utime(path, (100, 100))
    assert Records(tmp_path).begun("train", OWN, OUTPUT) == (100, "4711")


def test_a_marker_of_a_long_name_lies_in_a_folder(tmp_path):
    output = Path("results/runs", "a" * 100, "b" * 100, "c" * 100)
    name = urlsafe_b64encode(str(output).encode()).decode()
    folder = tmp_path / "incomplete" / f"@{name[:254]}"
    folder.mkdir(parents=True)
    (folder / name[254:]).write_text('{"external_jobid": "5"}')
    found = Records(tmp_path).begun("train", OWN, output)
    assert found and found.job_id == "5"


def test_the_journal_knows_the_present_job_of_those_that_follow_each_other(tmp_path):
    mark(tmp_path, '{"external_jobid": "11.pbs1"}')
    enqueue(tmp_path)
    assert begun(tmp_path) == "12.pbs1"
    assert Records(tmp_path).begun("train", {**OWN, "seed": "2"}, Path("other")) is None


@pytest.mark.parametrize(
    "changes",
    [
        {"withdrawn": True},
        {"job_id": None},
        {"job_id": "1\x1b[2J"},
        {"key": "["},
        {"key": "[[[[1]]]]"},
        {"key": json.dumps([json.dumps(["train", [["run", []]]])])},
        {"key": 7},
    ],
)
def test_a_record_that_is_over_or_strange_says_nothing(tmp_path, changes):
    enqueue(tmp_path, **changes)
    assert begun(tmp_path) is None


@pytest.mark.parametrize("content", ["", "{", "[]", '{"external_jobid": ["x"]}', "[" * 5000, "\0"])
def test_a_torn_marker_still_says_that_the_job_has_begun(tmp_path, content):
    mark(tmp_path, content)
    assert begun(tmp_path) == ""


def test_what_is_no_file_says_nothing(tmp_path):
    os.mkfifo(tmp_path / "pipe")
    for path in (tmp_path / "pipe", tmp_path, tmp_path / "missing"):
        assert read_json(path) == {}


def test_failures_are_found_in_snakemakes_log(tmp_path):
    log = tmp_path / "log" / "2026-11-26T175420.403545.snakemake.log"
    log.parent.mkdir()
    log.write_text(f"[Thu Nov 26 17:54:11 2026]\nFinished jobid: 1\n{LOG}[Thu Nov 26 17:56")
    when = time.mktime(time.strptime("2026-11-26 17:55:12", "%Y-%m-%d %H:%M:%S"))
    assert Records(tmp_path).failed_at(OUTPUT) == when
    assert Records(tmp_path).failed_at(OUTPUT.with_name("summary.csv")) is None


def test_a_log_of_anything_else_says_nothing(tmp_path):
    (tmp_path / "log").mkdir()
    (tmp_path / "log" / "a.snakemake.log").write_bytes(LOG.replace("Nov", "\0").encode())
    (tmp_path / "log" / "b.snakemake.log").mkdir()
    assert Records(tmp_path).failures == {}
