"""Ask Optuna for trials, train them, and tell it of their validation ELBO.

Each trial trains for `epochs[0]`, and goes on to each further number of epochs, from the start, as
long as its ELBO is not below the median of what the finished trials had at the same. Asked and told
is through a journal on disk: a study that was interrupted goes on with the trials that had begun.

Akiba et al., Optuna: a next-generation hyperparameter optimization framework, KDD 2019,
arXiv:1907.10902.
"""

from collections.abc import Callable, Mapping
from pathlib import Path
from typing import Any

import optuna
from optuna.pruners import MedianPruner
from optuna.samplers import TPESampler
from optuna.storages import JournalStorage
from optuna.storages.journal import JournalFileBackend
from optuna.trial import FrozenTrial, Trial, TrialState

from elboflow.specification.yaml_readings import ConfigError
from elboflow.study.section import Section, keys_of

Train = Callable[[dict[str, dict[str, Any]]], Mapping[str, float]]
"""Trains runs by their keys; the validation ELBO in nats of those that came to their end."""

BEFORE_PRUNING = 3  # finished trials


def open_study(journal: Path, section: Section) -> optuna.Study:
    """The study of a journal, which is made where there is none; raises ConfigError.

    What is drawn depends on the trials that are known and on the seed, but for how often the study
    was interrupted.
    """
    optuna.logging.set_verbosity(optuna.logging.WARNING)
    journal.parent.mkdir(parents=True, exist_ok=True)
    study = optuna.create_study(
        storage=JournalStorage(JournalFileBackend(str(journal))),
        sampler=TPESampler(seed=section.seed),
        pruner=MedianPruner(n_startup_trials=BEFORE_PRUNING, n_warmup_steps=0),
        study_name="study",
        direction="maximize",
        load_if_exists=True,
    )
    searched = {"keys": repr(sorted(section.keys.items())), "epochs": list(section.epochs)}
    if study.user_attrs.get("searched", searched) != searched:
        raise ConfigError(
            f"config: study: other keys or epochs than in {journal}: delete that file to begin "
            "anew, or give the configuration another `name:`"
        )
    study.set_user_attr("searched", searched)
    return study


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
        return [Trial(study, trial._trial_id) for trial in begun]
    left = section.trials - len(study.trials)
    return [study.ask(dict(section.keys)) for _ in range(min(left, section.at_once))]


def _step(
    study: optuna.Study, section: Section, batch: list[Trial], epochs: int, train: Train
) -> list[Trial]:
    """Train the trials of a batch for so many epochs; those that go on."""
    known = {trial.number: trial.intermediate_values for trial in study.trials}
    new = [trial for trial in batch if epochs not in known[trial.number]]
    runs = {name_of(trial): keys_of(section, trial.params) | {"epochs": epochs} for trial in new}
    elbos = train(runs) if runs else {}
    going_on = []
    for trial in batch:
        if trial in new and name_of(trial) in elbos:
            trial.report(elbos[name_of(trial)], epochs)
        elif trial in new:
            study.tell(trial, state=TrialState.FAIL)
            continue
        if epochs == section.epochs[-1]:
            study.tell(trial, study.trials[trial.number].intermediate_values[epochs])
        elif trial.should_prune():
            study.tell(trial, state=TrialState.PRUNED)
        else:
            going_on.append(trial)
    return going_on
