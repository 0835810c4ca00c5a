"""What `make status` sees of trainings, from files alone."""

import json
import os
import subprocess
import sys
import time
from pathlib import Path
from typing import Any

import pytest

from elboflow.pages.stages import Work, stages
from elboflow.pages.status import look_at, table
from elboflow.reading.records import Begun, Records

NOW = 1_800_000_000.0
TOLD = {"share": 0.54, "images_per_second": 5012.3, "seconds_left": 75.0, "state": "epoch 12"}


class Place:
    """A folder of results, in which a test leaves what jobs leave; times are relative to NOW."""

    def __init__(self, results: Path) -> None:
        self.results = results
        self.records = Records(results / ".snakemake")
        values = {"ais_images": 2}
        self.work = Work("a", "1", stages(results, "a", 1, values, scored=["noise"]))

    def tell(self, folder: str = ".", at: float = -5.0, **changes: object) -> Path:
        path = self.results / "state" / "a" / "seed1" / folder / ".progress"
        path.parent.mkdir(parents=True, exist_ok=True)
        path.write_text(json.dumps({**TOLD, "time": NOW + at, **changes}))
        return path

    def make(self, *names: str) -> None:
        for name in names:
            path = self.results / "runs" / "a" / "seed1" / name
            path.parent.mkdir(parents=True, exist_ok=True)
            path.write_text("made")
            os.utime(path, (NOW - 1, NOW - 1))

    def log(self, rule: str, at: float, text: str = "") -> None:
        path = self.results / "logs" / rule / "a" / "seed1.log"
        path.parent.mkdir(parents=True, exist_ok=True)
        path.write_text(text)
        os.utime(path, (NOW + at, NOW + at))

    def begin(self, rule: str, at: float, job_id: str = "") -> None:
        own = (("run", "a"), ("seed", "1"))
        self.records.queue[(rule, *own)] = Begun(NOW + at, job_id)

    def fail(self, name: str, at: float) -> None:
        path = self.results / "runs" / "a" / "seed1" / name
        self.records.failures[str(path)] = NOW + at

    def seen(self) -> Any:
        return look_at(self.work, self.records, NOW)


@pytest.fixture
def place(tmp_path: Path) -> Place:
    return Place(tmp_path)


def test_of_nothing_there_is_only_waiting(place):
    assert place.seen() == ("waiting", "waiting for training", "", "", "", "")


def test_a_job_in_the_queue_is_told_with_its_id(place):
    place.begin("train", -4000, "12.pbs1")
    assert place.seen()[:2] == ("queued", "queued (12.pbs1) for training")


def test_a_job_that_has_left_the_queue_is_at_work_before_it_tells_anything(place):
    place.begin("train", -4000, "12.pbs1")
    place.log("train", -30)
    assert place.seen()[:3] == ("at work", "training", "")


def test_a_training_tells_how_far_it_is(place):
    place.begin("train", -60)
    place.tell()
    assert place.seen()[1:] == ("training", "54%", "5,012", "1:15", "epoch 12")


def test_a_job_that_goes_on_after_its_walltime_is_queued_with_what_is_done(place):
    place.tell(at=-900)
    place.begin("train", -800, "13.pbs1")
    assert place.seen()[1:] == ("queued (13.pbs1) for training", "54%", "", "", "epoch 12")


def test_a_training_without_a_sign_is_stalled(place):
    place.begin("train", -4000)
    place.tell(at=-720)
    seen = place.seen()
    assert seen.state == "stalled" and seen.done == "54%" and not seen.speed
    assert seen.words.startswith("stalled in training: no sign for 12 min, see ")


def test_a_training_that_was_stopped_waits_with_what_is_done(place):
    place.tell(at=-100)
    assert place.seen()[1:3] == ("waiting for training", "54%")


def test_a_failure_names_the_log_and_what_it_says(place):
    place.tell(at=-10)
    place.log("train", -8, "loading\nerror: the loss is not finite\x1b[2J; lower it\nended\n")
    place.fail("model.safetensors", -7)
    seen = place.seen()
    log = place.results / "logs/train/a/seed1.log"
    assert seen.words == f"failed in training, see {log}"
    assert seen.last == "error: the loss is not finite\\x1b[2J; lower it"


def test_a_failure_is_over_when_the_job_has_begun_again(place):
    place.fail("model.safetensors", -70)
    place.begin("train", -60)
    assert place.seen()[1] == "training"


def test_later_stages_are_told_where_they_need_attention(place):
    place.make("model.safetensors")
    assert place.seen()[1] == "waiting for evaluation"
    place.begin("evaluate", -50)
    place.tell("evaluate", share=0.2)
    assert place.seen()[1:3] == ("evaluating", "20%")
    place.fail("bounds.csv", -30)
    assert place.seen()[1].startswith("failed in AIS, see ")
    place.make("bounds.csv", "summary.csv")
    assert place.seen()[1] == "waiting for scores of noise"
    place.make("scores/noise.csv")
    assert place.seen()[1] == "done"


def test_what_is_to_be_computed_anew_is_not_done(place):
    place.make("model.safetensors")
    specification = place.results / "runs" / "a" / "training.json"
    specification.write_text("{}")
    os.utime(specification, (NOW - 60, NOW - 60))
    assert place.seen()[1] == "waiting for evaluation"
    os.utime(specification, (NOW + 60, NOW + 60))
    assert place.seen()[1] == "waiting for training"


def test_what_was_measured_of_a_former_model_is_not_done(place):
    place.make("summary.csv", "bounds.csv", "scores/noise.csv", "model.safetensors")
    assert place.seen()[1] == "done"
    os.utime(place.results / "runs/a/seed1/summary.csv", (NOW - 1e9, NOW - 1e9))
    assert place.seen()[1] == "waiting for evaluation"


def test_a_former_result_is_not_done_while_its_job_is_in_the_queue(place):
    place.make("model.safetensors")
    os.utime(place.results / "runs/a/seed1/model.safetensors", (NOW - 99, NOW - 99))
    place.begin("train", -60, "12.pbs1")
    assert place.seen()[1] == "queued (12.pbs1) for training"


@pytest.mark.parametrize(
    "content",
    [
        *("", "{", "[]", "\0", '{"share": 1}', "[" * 5000, '"x"'),
        json.dumps({**TOLD, "time": "now"}),
        json.dumps({**TOLD, "time": NOW, "seconds_left": float("nan")}),
        json.dumps({**TOLD, "time": NOW, "seconds_left": float("inf")}),
        json.dumps({**TOLD, "time": NOW, "share": -1}),
        json.dumps({**TOLD, "time": NOW, "images_per_second": 10**400}),
        json.dumps({**TOLD, "time": True}),
    ],
)
def test_a_file_that_says_nothing_is_no_error(place, content):
    place.tell().write_text(content)
    assert place.seen()[1:3] == ("waiting for training", "")


def test_a_time_left_that_nobody_knows_is_not_shown(place):
    place.begin("train", -60)
    place.tell(time=NOW, seconds_left=None)
    assert (place.seen().done, place.seen().left) == ("54%", "")


def test_what_a_file_says_is_printed_in_one_line(place):
    place.tell(state="epoch\n1\x1b[2J" + "x" * 1000)
    assert place.seen().last.startswith("epoch\\n1\\x1b[2J") and len(place.seen().last) < 100


def trainings(place: Place, *runs: str) -> list[Work]:
    values = {"ais_images": 0}
    return [Work(run, "1", stages(place.results, run, 1, values, [])) for run in runs]


def test_the_most_urgent_come_first_and_are_counted(place):
    place.make("model.safetensors", "summary.csv")
    waits, fails = "b", "c"
    output = place.results / "runs" / fails / "seed1" / "model.safetensors"
    place.records.failures[str(output)] = time.time()
    text = table([], trainings(place, "a", waits, fails), place.records, whole=False)
    heading, *rows, empty, last = text.splitlines()
    assert [row.split()[0] for row in rows] == [fails, waits, "a"]
    assert last == "3 trainings: 1 failed, 1 waiting, 1 done"
    assert heading.split()[:3] == ["run", "seed", "state"] and not empty


def test_of_many_that_rest_most_are_only_counted(place):
    many = trainings(place, *(f"r{number}" for number in range(200)))
    text = table([], many, place.records, whole=False)
    assert len(text.splitlines()) == 13
    assert text.endswith("200 trainings: 200 waiting; 190 not shown: make status ALL=1")
    assert len(table([], many, place.records, whole=True).splitlines()) == 203


def test_what_all_trainings_wait_for_is_shown_until_it_is_there(place):
    output = place.results / "build.json"
    build = place.work.stages[0]._replace(noun="build", rule="build_environment", output=output)
    work = Work("(environment)", "", [build])
    assert "(environment)        waiting for build" in table([work], [], place.records, False)
    output.write_text("{}")
    assert "environment" not in table([work], [], place.records, False)


def test_a_configuration_that_is_missing_is_told_in_one_line(tmp_path):
    door = Path(sys.modules["elboflow"].__file__).parents[1] / "status.py"
    done = subprocess.run(
        [sys.executable, door, tmp_path / "none.yaml"], capture_output=True, text=True, check=False
    )
    assert done.returncode == 1
    assert done.stderr.startswith("error: config: ") and len(done.stderr.splitlines()) == 1
