"""Search for the best keys of a run by Optuna, by the ELBO of validation images.

    python workflow/scripts/study.py config/study.yaml [-- --profile abci]

The section `study` of the configuration says what is searched: docs/study.md. Each trial is a run
of an experiment whose configuration is written for it; words after -- are Snakemake's, `--profile
profiles/local` if there are none. After an interruption the same command goes on.
"""

import argparse
import csv
import io
import json
import sys
from dataclasses import replace
from pathlib import Path
from typing import Any

import optuna
from optuna.trial import FrozenTrial

from elboflow.files.whole import in_words, write_bytes
from elboflow.specification.config_files import read_file
from elboflow.specification.experiment import experiment_name
from elboflow.specification.schema import boolean_keys
from elboflow.specification.yaml_readings import ConfigError
from elboflow.study.search import name_of, open_study, search
from elboflow.study.section import Section, keys_of, read_section
from elboflow.study.trials import Experiment, fixed_of


def cell(value: Any) -> str:
    return value if isinstance(value, str) else json.dumps(value)


def table(study: optuna.Study, section: Section) -> str:
    """One row per trial: what it was, how it ended, and its validation ELBO after each stretch."""
    text = io.StringIO()
    writer = csv.writer(text, lineterminator="\n")
    writer.writerow(
        ["trial", "state", *section.keys, *(f"elbo_nats_{n}_epochs" for n in section.epochs)]
    )
    for trial in study.trials:
        keys = keys_of(section, trial.params)
        shown = [cell(keys.get(key, "")) for key in section.keys]
        elbos = [trial.intermediate_values.get(epochs, "") for epochs in section.epochs]
        writer.writerow([name_of(trial), trial.state.name.lower(), *shown, *elbos])
    return text.getvalue()


def run(file: Path, results: Path, words: list[str]) -> str:
    """Search to the end; what was found, in lines."""
    config = read_file(file, {*boolean_keys(), "log"})
    if "study" not in config:
        raise ConfigError(f"config: {file} has no section `study`; docs/study.md says what it is")
    section = read_section(config.pop("study"))
    if config.keys() & {"runs", "sweeps"}:
        raise ConfigError("config: beside `study` leave out runs and sweeps: the trials are runs")
    name = experiment_name(config, file)
    if name is None:
        raise ConfigError("config: study: write it in a file of its own, not in the default's")
    experiment = Experiment(config, name, results, words)
    resolved = experiment.check(section)
    if not section.epochs:
        section = replace(section, epochs=(resolved.runs["corner_0"]["epochs"],))
    fixed = fixed_of(resolved, section)
    study = open_study(experiment.folder / "study.journal", section, fixed)
    search(study, section, experiment.train)
    return summary(study, section, experiment)


def summary(study: optuna.Study, section: Section, experiment: Experiment) -> str:
    """Write the table and the configuration of what was trained to the end; say which is best."""
    write_bytes(experiment.folder / "trials.csv", table(study, section).encode())
    ended = [trial for trial in study.trials if trial.state == optuna.trial.TrialState.COMPLETE]
    if not ended:
        raise ConfigError(f"study: no trial came to its end: {experiment.folder / 'trials.csv'}")
    last = {"epochs": section.epochs[-1]}
    experiment.plan({name: keys | last for name, keys in _trained(ended, section).items()})
    best = keys_of(section, study.best_trial.params)
    return (
        f"{len(study.trials)} trials, {len(ended)} to the end: {experiment.folder / 'trials.csv'}\n"
        f"best: {name_of(study.best_trial)}, validation ELBO {study.best_value:.2f} nats: "
        f"{', '.join(f'{key} {value}' for key, value in best.items())}\n"
        f"report of those: snakemake {' '.join(experiment.words)} --configfile {experiment.file}"
    )


def _trained(trials: list[FrozenTrial], section: Section) -> dict[str, dict[str, Any]]:
    """Names and keys of trials, of equal ones those of the first, which alone was trained."""
    runs: dict[str, dict[str, Any]] = {}
    for trial in trials:
        if (keys := keys_of(section, trial.params)) not in runs.values():
            runs[name_of(trial)] = keys
    return runs


def main() -> None:
    parser = argparse.ArgumentParser(description=__doc__.splitlines()[0])
    parser.add_argument("config", type=Path, help="with a section `study`")
    parser.add_argument("--results", type=Path, default=Path("results"))
    parser.add_argument("words", nargs="*", metavar="-- WORD", help="for Snakemake")
    args = parser.parse_args()
    try:
        print(run(args.config, args.results, args.words or ["--profile", "profiles/local"]))
    except ConfigError as error:
        sys.exit(f"error: {error}")
    except OSError as error:
        sys.exit(f"error: {in_words(error, args.results)}")
    except KeyboardInterrupt:
        sys.exit("interrupted: the same command goes on")


if __name__ == "__main__":
    main()
