"""Trials as runs: what is refused, what of Snakemake's ends is a trial's own, and what is left."""

import json
import subprocess
from pathlib import Path
from typing import Any

import pytest
import yaml

from elboflow.specification.check import check
from elboflow.specification.resolve import part
from elboflow.specification.yaml_readings import ConfigError
from elboflow.study.search import open_study, search
from elboflow.study.section import Section, read_section
from elboflow.study.trials import Experiment, fixed_of
from study import summary

LATENTS: dict[str, Any] = {"latent_dim": {"low": 2, "high": 9}}
SHARED: dict[str, Any] = {
    "datasets": {"digits": {"source": "digits", "validation_images": 200, "test_images": 397}},
    "defaults": {"dataset": "digits", "seeds": [1, 2]},
}


def section_of(keys: dict[str, Any]) -> Section:
    return read_section({"keys": keys, "trials": 2, "at_once": 2, "epochs": [3]})


def experiment(tmp_path: Path, **defaults: Any) -> Experiment:
    config = {**SHARED, "defaults": {**SHARED["defaults"], **defaults}}
    return Experiment(config, "search", tmp_path, [])


@pytest.mark.parametrize(
    ("keys", "defaults", "complaint"),
    [
        ({"likelihood": {"choices": ["bernoulli", "gaussian"]}}, {}, "keys.likelihood: an ELBO"),
        ({"latent_dim": {"low": 1, "high": 4}}, {"budget": 0.5}, "leave out budget"),
        ({"budget": {"choices": [0.5, 1]}}, {}, "leave out budget"),
        ({"latent_dim": {"low": 1.0, "high": 4.0}}, {}, "4.0 is not of type 'integer'"),
        (
            {"posterior": {"choices": ["gaussian", "categorical"]}, "beta": {"low": 1, "high": 2}},
            {},
            "config: study, of beta 2.0 and posterior categorical.prior: uniform goes with",
        ),
    ],
)
def test_what_cannot_be_compared_is_refused(
    tmp_path: Path, keys: dict[str, Any], defaults: dict[str, Any], complaint: str
) -> None:
    with pytest.raises(ConfigError, match=complaint):
        experiment(tmp_path, **defaults).check(section_of(keys))


def test_what_all_trials_share_is_known(tmp_path: Path) -> None:
    section = section_of(LATENTS)
    fixed = fixed_of(experiment(tmp_path).check(section), section)
    assert fixed["beta"] == 1 and fixed["seeds"] == [1, 2] and fixed["images"]["test_images"] == 397
    assert not {"epochs", "latent_dim", "nodes"} & set(fixed)


class Snakemake:
    """Stands in for it: what it does to the files of runs, and its exit status."""

    def __init__(self, searching: Experiment, status: int, **found: float | None) -> None:
        self.searching, self.status, self.found = searching, status, found

    def __call__(self, targets: list[str]) -> int:
        runs = check(yaml.safe_load(self.searching.file.read_text())).runs
        for run, elbo in self.found.items():
            for seed in (1, 2):
                log = self.searching.results / f"logs/train/{run}/seed{seed}.log"
                model = self.searching.results / f"runs/{run}/seed{seed}/model.json"
                log.parent.mkdir(parents=True, exist_ok=True)
                log.write_text("error: the objective is not finite\n")
                if elbo is not None:
                    specification = part(runs[run], "training")
                    values = {"specification": specification, "validation": {"elbo_nats": elbo}}
                    model.parent.mkdir(parents=True, exist_ok=True)
                    model.write_text(json.dumps(values))
        return self.status


def trained(searching: Experiment, status: int, **found: float | None) -> dict[str, float]:
    searching._snakemake = Snakemake(searching, status, **found)  # type: ignore[method-assign]
    return searching.train({f"trial_{n}": {"epochs": 3, "latent_dim": 2 + n} for n in range(2)})


def test_a_training_that_fails_alone_fails_its_trial_alone(tmp_path: Path) -> None:
    assert trained(experiment(tmp_path), 1, trial_0=None, trial_1=None) == {}
    assert trained(experiment(tmp_path), 1, trial_0=None, trial_1=-3.0) == {"trial_1": -3.0}


def test_a_study_without_any_result_is_an_error(tmp_path: Path) -> None:
    searching, section = experiment(tmp_path), section_of(LATENTS)
    opened = open_study(searching.folder / "study.journal", section, {})
    search(opened, section, lambda runs: {})
    with pytest.raises(ConfigError, match=r"no trial came to its end: .*/trials\.csv"):
        summary(opened, section, searching)
    table = (searching.folder / "trials.csv").read_text()
    assert table.count("trial_") == 2 and table.count(",fail,") == 2


def test_of_equal_trials_the_report_is_of_the_one_that_was_trained(tmp_path: Path) -> None:
    searching, section = experiment(tmp_path), section_of({"latent_dim": {"choices": [2]}})
    opened = open_study(searching.folder / "study.journal", section, {})
    search(opened, section, lambda runs: dict.fromkeys(runs, -3.0))
    assert "2 trials, 2 to the end" in summary(opened, section, searching)
    assert list(yaml.safe_load(searching.file.read_text())["runs"]) == ["trial_0000"]
    assert (searching.folder / "trials.csv").read_text().count("complete,2,-3.0") == 2


@pytest.mark.fault(
    "a study whose Snakemake does not come to train, or is killed",
    outcome="no trial is taken for failed; the same command goes on",
)
@pytest.mark.parametrize(("status", "found"), [(1, {}), (-9, {"trial_0": None, "trial_1": -3.0})])
def test_what_was_not_trained_is_no_failed_trial(
    tmp_path: Path, status: int, found: dict[str, float | None]
) -> None:
    with pytest.raises(
        ConfigError, match=r"trial_0.* was not trained; .* the same command goes on"
    ):
        trained(experiment(tmp_path), status, **found)


def test_models_of_an_earlier_study_are_not_taken_for_those_of_this(tmp_path: Path) -> None:
    searching = experiment(tmp_path)
    assert trained(searching, 0, trial_0=-2.0, trial_1=-3.0)
    with pytest.raises(ConfigError, match="trial_0, trial_1 was not trained"):
        trained(experiment(tmp_path, beta=0.5), 1)


def test_keys_that_do_not_go_together_are_one_trial_left_out(
    tmp_path: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    searching = experiment(tmp_path)
    searching._snakemake = Snakemake(searching, 0, trial_1=-3.0)  # type: ignore[method-assign]
    runs = {"trial_0": {"posterior": "categorical"}, "trial_1": {"latent_dim": 2}}
    assert searching.train({run: {**keys, "epochs": 3} for run, keys in runs.items()}) == {
        "trial_1": -3.0
    }
    assert "trial_0 is left out: config: runs.trial_0" in capsys.readouterr().out


class Interrupted:
    """A process that is waited for when Ctrl-C is pressed."""

    waits = 0

    def __init__(self, command: list[str]) -> None:
        assert command[-1] == "target"

    def __enter__(self) -> "Interrupted":
        return self

    def __exit__(self, *error: object) -> None:
        pass

    def wait(self) -> None:
        Interrupted.waits += 1
        if Interrupted.waits == 1:
            raise KeyboardInterrupt


@pytest.mark.fault("Ctrl-C in a study", outcome="Snakemake ends by itself and leaves no lock")
def test_ctrl_c_waits_for_snakemake(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(subprocess, "Popen", Interrupted)
    with pytest.raises(KeyboardInterrupt):
        experiment(tmp_path)._snakemake(["target"])
    assert Interrupted.waits == 2
