"""A study: what is asked for, what is told, and what an interruption leaves."""

import math
from pathlib import Path
from typing import Any

import pytest
import yaml

from elboflow.specification.check import check
from elboflow.specification.yaml_readings import ConfigError
from elboflow.study.search import open_study, search
from elboflow.study.section import Section, corners, read_section

REPOSITORY = Path(__file__).parents[3]
SECTION: dict[str, Any] = {
    "keys": {
        "learning_rate": {"low": 0.0001, "high": 0.1, "log": True},
        "encoder_layers": {"choices": [[10], [20, 20], []]},
        "latent_dim": {"low": 2, "high": 9},
    },
    "trials": 12,
    "at_once": 2,
    "epochs": [2, 5],
}


def section_of(**changes: Any) -> Section:
    return read_section({**SECTION, **changes})


class Training:
    """Stands in for the workflow: the nearer the rate to 0.01, the better, and more epochs help."""

    def __init__(self, interrupted_at: int = -1, failing: frozenset[str] = frozenset()) -> None:
        self.asked: list[dict[str, dict[str, Any]]] = []
        self.interrupted_at, self.failing = interrupted_at, failing

    def __call__(self, runs: dict[str, dict[str, Any]]) -> dict[str, float]:
        if len(self.asked) == self.interrupted_at:
            raise KeyboardInterrupt
        self.asked.append(runs)
        return {
            run: keys["epochs"] - abs(math.log10(keys.get("learning_rate", keys.get("beta"))) + 2)
            for run, keys in runs.items()
            if run not in self.failing
        }


def states(study: Any) -> list[str]:
    return [trial.state.name for trial in study.trials]


def test_all_trials_end_and_the_worse_of_them_early(tmp_path: Path) -> None:
    section, training = section_of(), Training()
    study = open_study(tmp_path / "study.journal", section, {})
    search(study, section, training)
    assert len(study.trials) == 12 and set(states(study)) == {"COMPLETE", "PRUNED"}
    ended = [trial for trial in study.trials if trial.state.name == "COMPLETE"]
    pruned = [trial for trial in study.trials if trial.state.name == "PRUNED"]
    assert all(set(trial.intermediate_values) == {2} for trial in pruned)
    assert all(set(trial.intermediate_values) == {2, 5} for trial in ended)
    first = [trial.intermediate_values[2] for trial in ended]
    assert all(trial.intermediate_values[2] < max(first) for trial in pruned)
    assert study.best_value == max(trial.value for trial in ended)
    keys = training.asked[0]["trial_0000"]
    assert keys["encoder_layers"] in ([10], [20, 20], []) and 2 <= keys["latent_dim"] <= 9
    assert all(len(runs) <= 2 for runs in training.asked)


@pytest.mark.fault(
    "a study that is interrupted",
    outcome="goes on with the trials that had begun, trains none twice",
)
def test_an_interrupted_study_goes_on(tmp_path: Path) -> None:
    section, training = section_of(), Training(interrupted_at=5)
    with pytest.raises(KeyboardInterrupt):
        search(open_study(tmp_path / "study.journal", section, {}), section, training)
    again = Training()
    study = open_study(tmp_path / "study.journal", section, {})
    search(study, section, again)
    assert len(study.trials) == 12 and set(states(study)) <= {"COMPLETE", "PRUNED"}
    trained = [
        (run, keys["epochs"])
        for asked in (*training.asked, *again.asked)
        for run, keys in asked.items()
    ]
    assert len(trained) == len(set(trained))


def test_a_trial_that_fails_takes_no_other_down(tmp_path: Path) -> None:
    section, training = section_of(), Training(failing=frozenset({"trial_0001"}))
    study = open_study(tmp_path / "study.journal", section, {})
    search(study, section, training)
    assert len(study.trials) == 12
    assert [place for place, state in enumerate(states(study)) if state == "FAIL"] == [1]


def test_equal_trials_are_trained_once(tmp_path: Path) -> None:
    """Also those of one batch, and after an interruption."""
    keys = {"beta": {"choices": [1, 1.0, 2]}}
    section, training = section_of(keys=keys), Training(interrupted_at=3)
    with pytest.raises(KeyboardInterrupt):
        search(open_study(tmp_path / "study.journal", section, {}), section, training)
    again = Training()
    study = open_study(tmp_path / "study.journal", section, {})
    search(study, section, again)
    trained = [
        (keys["beta"], keys["epochs"])
        for asked in (*training.asked, *again.asked)
        for keys in asked.values()
    ]
    assert len(trained) == len(set(trained)) <= 4
    assert len(study.trials) == 12 and set(states(study)) <= {"COMPLETE", "PRUNED"}


def test_the_same_seed_tries_the_same(tmp_path: Path) -> None:
    first, second = Training(), Training()
    for name, training in (("a", first), ("b", second)):
        section = section_of()
        search(open_study(tmp_path / name, section, {}), section, training)
    assert first.asked == second.asked


def test_the_journal_of_another_search_is_refused(tmp_path: Path) -> None:
    journal, fixed = tmp_path / "study.journal", {"beta": 1, "model_options": {1: [2, 3]}}
    open_study(journal, section_of(), fixed)
    for changed, others in (({"epochs": [2, 6]}, fixed), ({}, {**fixed, "beta": 0.5})):
        with pytest.raises(ConfigError, match="other keys, epochs, defaults or data than in"):
            open_study(journal, section_of(**changed), others)
    open_study(journal, section_of(trials=20), fixed)


@pytest.mark.fault(
    "a study whose journal was being written when the machine went down",
    outcome="the torn line is dropped and the study goes on; a damaged journal is refused",
)
def test_a_torn_journal(tmp_path: Path) -> None:
    journal, section = tmp_path / "study.journal", section_of(trials=2)
    search(open_study(journal, section, {}), section, Training())
    with journal.open("ab") as file:
        file.write(b'{"op_code":4,"worker_id"')
    more = section_of(trials=4)
    search(open_study(journal, more, {}), more, Training())
    assert len(open_study(journal, more, {}).trials) == 4
    journal.write_bytes(b"null\n" + journal.read_bytes())
    with pytest.raises(ConfigError, match="damaged: delete that file"):
        open_study(journal, more, {})


def test_keys_that_were_not_drawn_yet_are(tmp_path: Path) -> None:
    section, training = section_of(trials=1), Training()
    study = open_study(tmp_path / "study.journal", section, {})
    study.ask({"latent_dim": section.keys["latent_dim"]})
    search(study, section, training)
    assert training.asked[0]["trial_0000"].keys() == {*SECTION["keys"], "epochs"}


def test_a_trial_that_got_worse_is_held_against_others_as_it_is(tmp_path: Path) -> None:
    def train(runs: dict[str, dict[str, Any]]) -> dict[str, float]:
        fallen = {("trial_0003", 2): 9.0, ("trial_0003", 5): 0.0}
        return {run: fallen.get((run, keys["epochs"]), 1.0) for run, keys in runs.items()}

    section = section_of(trials=4, at_once=1, epochs=[2, 5, 8])
    study = open_study(tmp_path / "study.journal", section, {})
    search(study, section, train)
    assert states(study) == ["COMPLETE"] * 3 + ["PRUNED"]


def test_whole_numbers_are_tried_of_such_keys_alone() -> None:
    keys = section_of(keys={name: {"low": 1, "high": 4} for name in ("beta", "latent_dim")}).keys
    assert {name: type(what).__name__ for name, what in keys.items()} == {
        "beta": "FloatDistribution",
        "latent_dim": "IntDistribution",
    }


def test_corners_hold_all_that_may_be_drawn() -> None:
    assert corners(section_of()) == [
        {"encoder_layers": [10], "latent_dim": 2, "learning_rate": 0.0001},
        {"encoder_layers": [20, 20], "latent_dim": 9, "learning_rate": 0.1},
        {"encoder_layers": [], "latent_dim": 9, "learning_rate": 0.1},
    ]


@pytest.mark.parametrize(
    ("changes", "complaint"),
    [
        ({"trials": 0}, "trials: 0 is less than the minimum"),
        ({"trial": 3}, "unknown key 'trial', did you mean trials"),
        ({"keys": {}}, "study: keys:"),
        ({"keys": None}, "nothing stands below it"),
        ({"keys": {"beta": {"low": 2, "high": 1}}}, "study.keys.beta: "),
        ({"keys": {"beta": {"low": 0.0, "high": 1.0, "log": True}}}, "study.keys.beta: "),
        ({"keys": {"beta": {"choices": []}}}, "study: keys.beta"),
        ({"epochs": [5, 2]}, "study.epochs must rise"),
        ({"epochs": [2, 2]}, "study.epochs must rise"),
        ({"keys": {"epochs": {"low": 1, "high": 9}}}, "those of study.epochs"),
    ],
)
def test_mistakes_are_told_in_one_line(changes: dict[str, Any], complaint: str) -> None:
    with pytest.raises(ConfigError, match=complaint) as error:
        section_of(**changes)
    assert "\n" not in str(error.value)


def test_the_study_that_is_shipped_can_be_read() -> None:
    config = yaml.safe_load((REPOSITORY / "config" / "study.yaml").read_text())
    section = read_section(config.pop("study"))
    runs = {f"corner_{place}": keys for place, keys in enumerate(corners(section))}
    assert check({**config, "runs": runs}).runs


def test_a_study_is_no_configuration_of_runs() -> None:
    with pytest.raises(ConfigError, match=r"study: is for `make study`.*trials.yaml: give that"):
        check({"datasets": {}, "study": SECTION})
