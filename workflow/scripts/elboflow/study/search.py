"""Ask Optuna for trials, train them, and tell it of their validation ELBO.

Each trial trains for `epochs[0]`, and goes on to each further number of epochs, from the start, as
long as its ELBO is not below the median of what the finished trials had at the same. Asked and told
is through a journal on disk: a study that was interrupted goes on with the trials that had begun.

Akiba et al., Optuna: a next-generation hyperparameter optimization framework, KDD 2019,
arXiv:1907.10902.
"""

import json
import os
from collections.abc import Callable, Iterable, Mapping
from pathlib import Path
from statistics import median
from typing import Any, TypeVar

import optuna
from optuna.pruners import NopPruner
from optuna.samplers import TPESampler
from optuna.storages import JournalStorage
from optuna.storages.journal import JournalFileBackend
from optuna.trial import FrozenTrial, Trial, TrialState

from elboflow.specification.yaml_readings import ConfigError
from elboflow.study.section import Section, keys_of

Train = Callable[[dict[str, dict[str, Any]]], Mapping[str, float]]
"""Trains runs by their keys; the validation ELBO in nats of those that came to their end."""

Told = TypeVar("Told")

BEFORE_PRUNING = 3  # finished trials


def open_study(journal: Path, section: Section, fixed: Mapping[str, Any]) -> optuna.Study:
    """The study of a journal, which is made where there is none; raises ConfigError.

    What is drawn depends on the trials that are known and on the seed, but for how often the study
    was interrupted.

    Args:
        fixed: what all trials have in common and their ELBOs depend on.
    """
    optuna.logging.set_verbosity(optuna.logging.WARNING)
    journal.parent.mkdir(parents=True, exist_ok=True)
    _drop_torn_line(journal)
    try:
        study = optuna.create_study(
            storage=JournalStorage(JournalFileBackend(str(journal))),
            sampler=TPESampler(seed=section.seed),
            pruner=NopPruner(),
            study_name="study",
            direction="maximize",
            load_if_exists=True,
        )
    except (ValueError, LookupError, TypeError, AttributeError):
        raise ConfigError(
            f"config: study: {journal} is damaged: delete that file to begin anew"
        ) from None
    keys = repr(sorted(section.keys.items()))
    wanted = {"keys": keys, "epochs": list(section.epochs), "fixed": fixed}
    searched = json.loads(json.dumps(wanted))  # as it comes back
    if study.user_attrs.get("searched", searched) != searched:
        raise ConfigError(
            f"config: study: other keys, epochs, defaults or data than in {journal}: delete that "
            "file to begin anew, or give the configuration another `name:`"
        )
    study.set_user_attr("searched", searched)
    return study


def _drop_torn_line(journal: Path) -> None:
    """What was being written when machine or disk gave up; the next line would go on in it."""
    content = journal.read_bytes() if journal.is_file() else b""
    if content and not content.endswith(b"\n"):
        os.truncate(journal, content.rfind(b"\n") + 1)


def name_of(trial: Trial | FrozenTrial) -> str:
    """What the run of a trial is called."""
    return f"trial_{trial.number:04}"


def search(study: optuna.Study, section: Section, train: Train) -> None:
    """Train until as many trials have ended as the section wants."""
    while batch := _next_batch(study, section):
        for epochs in section.epochs:
            batch = _step(study, section, batch, epochs, train)


def _next_batch(study: optuna.Study, section: Section) -> list[Trial]:
    """Trials that have begun and not ended, else new ones."""
    begun = study.get_trials(deepcopy=False, states=(TrialState.RUNNING,))
    if begun:
        return [_whole(Trial(study, trial._trial_id), section) for trial in begun]
    left = section.trials - len(study.trials)
    return [study.ask(dict(section.keys)) for _ in range(min(left, section.at_once))]


def _whole(trial: Trial, section: Section) -> Trial:
    """A trial with all of its keys, of which an interruption may have left some undrawn."""
    for key, values in section.keys.items():
        trial._suggest(key, values)
    return trial


def _step(
    study: optuna.Study, section: Section, batch: list[Trial], epochs: int, train: Train
) -> list[Trial]:
    """Train the trials of a batch for so many epochs, of equal ones one; those that go on."""
    known = _known(study, section, epochs)
    new: list[tuple[dict[str, Any], str]] = []
    for trial in batch:
        keys = keys_of(section, trial.params)
        if _of_equal(known, keys) is None and _of_equal(new, keys) is None:
            new.append((keys, name_of(trial)))
    elbos = train({name: keys | {"epochs": epochs} for keys, name in new}) if new else {}
    known += [(keys, elbos[name]) for keys, name in new if name in elbos]
    going_on = []
    for trial in batch:
        elbo = _of_equal(known, keys_of(section, trial.params))
        if elbo is None:
            study.tell(trial, state=TrialState.FAIL)
            continue
        if epochs not in study.trials[trial.number].intermediate_values:
            trial.report(elbo, epochs)
        if epochs == section.epochs[-1]:
            study.tell(trial, study.trials[trial.number].intermediate_values[epochs])
        elif _falls_behind(study, study.trials[trial.number], epochs):
            study.tell(trial, state=TrialState.PRUNED)
        else:
            going_on.append(trial)
    return going_on


def _known(
    study: optuna.Study, section: Section, epochs: int
) -> list[tuple[dict[str, Any], float]]:
    """Keys and ELBO of each trial that was trained for so many epochs, or equals one."""
    return [
        (keys_of(section, trial.params), trial.intermediate_values[epochs])
        for trial in study.get_trials(deepcopy=False)
        if epochs in trial.intermediate_values
    ]


def _of_equal(known: Iterable[tuple[dict[str, Any], Told]], keys: dict[str, Any]) -> Told | None:
    """What is known of the first that has these keys."""
    return next((told for others, told in known if others == keys), None)


def _falls_behind(study: optuna.Study, trial: FrozenTrial, epochs: int) -> bool:
    """Whether a trial is below the median of the finished ones at the same number of epochs."""
    finished = study.get_trials(deepcopy=False, states=(TrialState.COMPLETE,))
    elbos = [other.intermediate_values[epochs] for other in finished]
    return len(elbos) >= BEFORE_PRUNING and trial.intermediate_values[epochs] < median(elbos)
