"""Trials as runs of an experiment that the workflow trains."""

import json
import subprocess
import sys
from collections.abc import Mapping
from pathlib import Path
from typing import Any

import yaml

from elboflow.files.whole import write_bytes
from elboflow.reading.errors import InputError
from elboflow.reading.json_files import is_number, read_json
from elboflow.specification.check import check
from elboflow.specification.experiment import experiment_folder
from elboflow.specification.resolve import Resolved, part
from elboflow.specification.yaml_readings import ConfigError
from elboflow.study.section import Section, corners
from elboflow.vae.choices import observed_by

MODEL = {"specification": {}, "validation": {"elbo_nats": is_number}}
OF_DOWNLOADS = {"data_dir", "mirrors"}  # keys of a data set that change no image


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

    def check(self, section: Section) -> Resolved:
        """What may be drawn, as runs called corner_0, ...; raises ConfigError."""
        ends = {f"corner_{place}": keys for place, keys in enumerate(corners(section))}
        try:
            resolved = check({**self.config, "runs": ends})
        except ConfigError as error:
            raise ConfigError(_in_words(str(error), ends)) from None
        runs = resolved.runs.values()
        if any(values["budget"] < 1 for values in runs):
            raise ConfigError("config: study: leave out budget: a trial trains for study.epochs")
        for key, kinds in (
            ("likelihood", {observed_by(values) for values in runs}),
            ("dataset", {values["dataset"] for values in runs}),
        ):
            if len(kinds) > 1:
                raise ConfigError(
                    f"config: study.keys.{key}: an ELBO of other x is no better or worse; the "
                    f"choices are of {', '.join(sorted(kinds))}: make a study of each"
                )
        return resolved

    def plan(self, runs: dict[str, dict[str, Any]]) -> Resolved:
        """Write the configuration of these runs."""
        config = {**self.config, "runs": runs}
        resolved = check(config)
        write_bytes(self.file, yaml.safe_dump(config, sort_keys=False).encode())
        return resolved

    def train(self, runs: dict[str, dict[str, Any]]) -> dict[str, float]:
        """The validation ELBO of each run that has come to its end, averaged over seeds.

        Raises:
            ConfigError: one has not, and it is not its training that failed.
        """
        if not (runs := self._possible(runs)):
            return {}
        resolved = self.plan(runs).runs
        epochs = {keys["epochs"] for keys in runs.values()}
        print(f"{', '.join(runs)}: {max(epochs)} epochs", flush=True)
        seeds = {run: [f"{run}/seed{seed}" for seed in resolved[run]["seeds"]] for run in runs}
        logs = {run: [self.results / f"logs/train/{one}.log" for one in seeds[run]] for run in runs}
        models = {
            run: [self.results / f"runs/{one}/model.json" for one in seeds[run]] for run in runs
        }
        before = {run: _times(logs[run]) for run in runs}
        status = self._snakemake([str(path) for paths in models.values() for path in paths])
        elbos = {run: elbo_of(models[run], part(resolved[run], "training")) for run in runs}
        found = {run: elbo for run, elbo in elbos.items() if elbo is not None}
        begun = {run for run in runs if _times(logs[run]) != before[run]}
        if left := [run for run in runs if run not in found and (status < 0 or run not in begun)]:
            raise ConfigError(
                f"config: study: {', '.join(left)} was not trained; what failed stands above, and "
                "the same command goes on"
            )
        return found

    def _possible(self, runs: dict[str, dict[str, Any]]) -> dict[str, dict[str, Any]]:
        """Without those whose keys do not go together, which are told."""
        possible = {}
        for run, keys in runs.items():
            try:
                check({**self.config, "runs": {run: keys}})
                possible[run] = keys
            except ConfigError as error:
                print(f"{run} is left out: {error}", flush=True)
        return possible

    def _snakemake(self, targets: list[str]) -> int:
        """Its exit status, which is below 0 where it was killed."""
        snakemake = str(Path(sys.executable).with_name("snakemake"))
        words = [*self.words, "--configfile", str(self.file), "--keep-going", *targets]
        with subprocess.Popen([snakemake, *words]) as process:
            try:
                return process.wait()
            except KeyboardInterrupt:
                process.wait()  # it has got Ctrl-C as well; killed, it would leave its lock
                raise


def _in_words(complaint: str, runs: dict[str, dict[str, Any]]) -> str:
    """What is wrong with one of these runs, by its keys in place of its name."""
    for run, keys in runs.items():
        place, colon, what = complaint.partition(f"runs.{run}")
        if colon and not what[:1].isdigit():
            said = " and ".join(f"{key} {value}" for key, value in keys.items())
            complaint = f"{place}study, of {said}{what}"
    return complaint


def _times(logs: list[Path]) -> list[int]:
    return [log.stat().st_mtime_ns if log.exists() else 0 for log in logs]


def elbo_of(models: list[Path], specification: Mapping[str, Any]) -> float | None:
    """The mean over seeds of a run that was trained by this specification; None of any other."""
    elbos = []
    for path in models:
        try:
            model = read_json(path, MODEL)
        except (InputError, OSError):
            return None
        if model["specification"] != json.loads(json.dumps(specification)):
            return None
        elbos.append(model["validation"]["elbo_nats"])
    return sum(elbos) / len(elbos)


def fixed_of(resolved: Resolved, section: Section) -> dict[str, Any]:
    """What the ELBOs of all trials depend on, beside their keys and epochs."""
    values = resolved.runs["corner_0"]
    trained = {**part(values, "training"), "seeds": values["seeds"]}
    data = resolved.datasets[values["dataset"]]
    return {
        **{key: value for key, value in trained.items() if key not in {*section.keys, "epochs"}},
        "images": {key: value for key, value in data.items() if key not in OF_DOWNLOADS},
    }
