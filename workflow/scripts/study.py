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
import subprocess
import sys
from dataclasses import replace
from pathlib import Path
from typing import Any

import optuna
import yaml

from elboflow.files.whole import write_bytes
from elboflow.reading.errors import InputError
from elboflow.reading.json_files import is_integer, is_number, read_json
from elboflow.specification.check import check
from elboflow.specification.config_files import read_file
from elboflow.specification.experiment import experiment_folder, experiment_name
from elboflow.specification.schema import boolean_keys
from elboflow.specification.yaml_readings import ConfigError
from elboflow.study.search import name_of, open_study, search
from elboflow.study.section import Section, corners, keys_of, read_section

MODEL = {
    "specification": {"epochs": is_integer},
    "validation": {"elbo_nats": is_number},
}


class Experiment:
    """The experiment that trials are runs of.

    Args:
        config: without the section `study`.
        words: for Snakemake.
    """

    def __init__(self, config: dict[str, Any], name: str, results: Path, words: list[str]) -> None:
        self.config, self.words = {**config, "name": name, "chapter": False}, words
        self.results = experiment_folder(results, name)
        self.folder = self.results / "study"
        self.file = self.folder / "trials.yaml"

    def plan(self, runs: dict[str, dict[str, Any]]) -> dict[str, list[int]]:
        """Write the configuration of these runs; their seeds."""
        config = {**self.config, "runs": runs}
        resolved = check(config).runs
        write_bytes(self.file, yaml.safe_dump(config, sort_keys=False).encode())
        return {run: resolved[run]["seeds"] for run in runs}

    def train(self, runs: dict[str, dict[str, Any]]) -> dict[str, float]:
        """The validation ELBO of each run that has come to its end, averaged over seeds."""
        seeds = self.plan(runs)
        epochs = {run: keys["epochs"] for run, keys in runs.items()}
        print(f"{', '.join(runs)}: {max(epochs.values())} epochs", flush=True)
        models = {
            run: [self.results / f"runs/{run}/seed{seed}/model.json" for seed in seeds[run]]
            for run in runs
        }
        snakemake = str(Path(sys.executable).with_name("snakemake"))
        targets = [str(path) for paths in models.values() for path in paths]
        command = [snakemake, *self.words, "--configfile", str(self.file), "--keep-going"]
        done = subprocess.run([*command, *targets], check=False)
        elbos = {run: elbo_of(models[run], epochs[run]) for run in runs}
        found = {run: elbo for run, elbo in elbos.items() if elbo is not None}
        if done.returncode and not found:
            raise ConfigError("config: study: no trial came to its end; what failed stands above")
        return found


def elbo_of(models: list[Path], epochs: int) -> float | None:
    """The mean over seeds of a run that was trained for so many epochs; None of any other."""
    elbos = []
    for path in models:
        try:
            model = read_json(path, MODEL)
        except (InputError, OSError):
            return None
        if model["specification"]["epochs"] != epochs:
            return None
        elbos.append(model["validation"]["elbo_nats"])
    return sum(elbos) / len(elbos)


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
    ends = {f"corner_{place}": keys for place, keys in enumerate(corners(section))}
    resolved = check({**experiment.config, "runs": ends}).runs
    if not section.epochs:
        section = replace(section, epochs=(resolved["corner_0"]["epochs"],))
    study = open_study(experiment.folder / "study.journal", section)
    search(study, section, experiment.train)
    return summary(study, section, experiment)


def summary(study: optuna.Study, section: Section, experiment: Experiment) -> str:
    """Write the table and the configuration of what was trained to the end; say which is best."""
    write_bytes(experiment.folder / "trials.csv", table(study, section).encode())
    ended = [trial for trial in study.trials if trial.state == optuna.trial.TrialState.COMPLETE]
    if not ended:
        return f"no trial came to its end: {experiment.folder / 'trials.csv'}"
    last = {"epochs": section.epochs[-1]}
    experiment.plan({name_of(trial): keys_of(section, trial.params) | last for trial in ended})
    best = keys_of(section, study.best_trial.params)
    return (
        f"{len(study.trials)} trials, {len(ended)} to the end: {experiment.folder / 'trials.csv'}\n"
        f"best: {name_of(study.best_trial)}, validation ELBO {study.best_value:.2f} nats: "
        f"{', '.join(f'{key} {value}' for key, value in best.items())}\n"
        f"report of those: snakemake {' '.join(experiment.words)} --configfile {experiment.file}"
    )


def main() -> None:
    parser = argparse.ArgumentParser(description=__doc__.splitlines()[0])
    parser.add_argument("config", type=Path, help="with a section `study`")
    parser.add_argument("--results", type=Path, default=Path("results"))
    parser.add_argument("words", nargs="*", metavar="-- WORD", help="for Snakemake")
    args = parser.parse_args()
    try:
        print(run(args.config, args.results, args.words or ["--profile", "profiles/local"]))
    except (ConfigError, OSError) as error:
        sys.exit(f"error: {error}")
    except KeyboardInterrupt:
        sys.exit("interrupted: the same command goes on")


if __name__ == "__main__":
    main()
