"""Find what is wrong with a configuration before anything starts, and say it in one line."""

from collections.abc import Iterable
from typing import Any

from elboflow.specification import (
    check_cost,
    check_model,
    check_scaling,
    check_schema,
    check_scores,
    own_model,
)
from elboflow.specification.check_dataset import TABLES, Sizes, split_sizes
from elboflow.specification.nodes import bounds
from elboflow.specification.published import complaint_about_published
from elboflow.specification.resolve import Resolved, ranks, resolve_all
from elboflow.specification.sweeps import complaint_about_equal_runs, with_sweeps
from elboflow.specification.yaml_readings import ConfigError
from elboflow.vae.choices import OBJECTIVES, observed_by

MOST_TRAININGS = 10_000


def check(config: dict[str, Any], read_files: bool = True) -> Resolved:
    """The resolved configuration; raises ConfigError at the first thing that is wrong.

    Args:
        read_files: whether to look at the user's own files, which a job need not see.
    """
    if "study" in config:
        raise ConfigError(
            "config: study: is for `make study`, which writes its trials as runs of "
            "results/NAME/study/trials.yaml: give that file; see docs/study.md"
        )
    if complaint := check_schema.complaint_about(config):
        raise ConfigError(f"config: {complaint}; see config/README.md")
    config = _with_sweeps(config)
    for section in ("datasets", "runs"):
        _check_names(section, config[section])
    resolved = resolve_all(config)
    sizes = {
        name: split_sizes(f"config: datasets.{name}", values, read_files)
        for name, values in resolved.datasets.items()
    }
    for run in resolved.runs:
        _check_own_model(config, run, resolved.runs[run], read_files)
        _check_run(config, run, resolved, sizes)
    if (
        trainings := sum(len(values["seeds"]) for values in resolved.runs.values())
    ) > MOST_TRAININGS:
        raise ConfigError(
            f"config: runs: {trainings} trainings, one for each seed of each run, are more than "
            f"the {MOST_TRAININGS} that can be planned; make several files"
        )
    if complaint := complaint_about_equal_runs(config.get("sweeps", {}), resolved.runs):
        raise ConfigError(f"config: sweeps.{complaint}")
    _check_environment(resolved.environment)
    if complaint := check_scaling.complaint_about_scaling(resolved, sizes):
        raise ConfigError(f"config: scaling.{complaint}")
    if complaint := check_scores.complaint_about_scores(resolved):
        raise ConfigError(f"config: scores.{complaint}")
    return resolved


def _with_sweeps(config: dict[str, Any]) -> dict[str, Any]:
    """The configuration with the runs of its sweeps, whose values are checked as of any run."""
    if not config.get("sweeps"):
        if "runs" not in config:
            raise ConfigError("config: runs: there are none, nor sweeps; see config/README.md")
        return config
    config = with_sweeps(config, MOST_TRAININGS)
    if complaint := check_schema.complaint_about(config):
        raise ConfigError(f"config: {complaint}; see config/README.md")
    return config


def _check_names(section: str, names: Iterable[str]) -> None:
    """Each name is a folder, and on some file systems case does not count."""
    known: dict[str, str] = {}
    for name in names:
        if (other := known.setdefault(name.lower(), name)) != name:
            raise ConfigError(
                f"config: {section}: {other} and {name} are one folder where upper and lower case "
                "are not told apart; give one another name"
            )


def _check_run(
    config: dict[str, Any], run: str, resolved: Resolved, sizes: dict[str, Sizes]
) -> None:
    where, values = f"config: runs.{run}", resolved.runs[run]
    if values["dataset"] not in resolved.datasets:
        names = ", ".join(resolved.datasets)
        raise ConfigError(f"{where}.dataset: no data set {values['dataset']!r}, known are {names}")
    if (source := resolved.datasets[values["dataset"]]["source"]) in TABLES:
        raise ConfigError(
            f"{where}.dataset: {source} is a table without images; name a data set of images"
        )
    for level, keys in (
        (where, config["runs"][run]),
        ("config: defaults", config.get("defaults", {})),
    ):
        if "batch_size" in keys and keys.get("batch_per_rank") is not None:
            raise ConfigError(f"{level}: give batch_size or batch_per_rank, not both")
    objective = values["objective"]
    if not OBJECTIVES[objective].weighs_kl and (values["beta"] != 1 or values["warmup_epochs"]):
        raise ConfigError(f"{where}: {objective} is a bound only with beta 1 and no warm-up")
    if complaint := check_model.complaint_about(values):
        raise ConfigError(f"{where}.{complaint}")
    least, most = bounds(values)
    if least > most:
        raise ConfigError(f"{where}.nodes: write [least, most], as in [{most}, {least}]")
    known = sizes[values["dataset"]]
    _check_sizes(where, values, known)
    if complaint := check_cost.complaint_about_cost(values, source, known["train"], known["test"]):
        raise ConfigError(f"{where}.{complaint}")
    if complaint := complaint_about_published(values["published"], observed_by(values), source):
        raise ConfigError(f"{where}.published: {complaint}")


def _check_own_model(
    config: dict[str, Any], run: str, values: dict[str, Any], read_files: bool
) -> None:
    own, shared = config["runs"][run], config.get("defaults", {})
    beside = set(shared) if "model" in shared and "model" not in own else set()
    complaint = own_model.complaint_about_keys(values, beside | set(own))
    if not complaint and read_files:
        complaint = own_model.complaint_about_files(values)
    if complaint:
        raise ConfigError(f"config: runs.{run}.{complaint}")


def _check_sizes(where: str, values: dict[str, Any], sizes: Sizes) -> None:
    images, tested, size = sizes["train"], sizes["test"], values["batch_size"]
    if images is not None and size > images:
        raise ConfigError(f"{where}.batch_size: {size} is more than the {images} training images")
    if tested and values["figure_images"] > tested:
        raise ConfigError(f"{where}.figure_images: there are only {tested} test images")
    smallest = min(count for count in (size, sizes["validation"], tested) if count)
    if ranks(values) > smallest:
        raise ConfigError(
            f"{where}: {ranks(values)} ranks are more than the {smallest} images of a batch or "
            "split; lower nodes or tasks_per_node"
        )


def _check_environment(values: dict[str, Any]) -> None:
    if values["torch"] == "site" and not values["site_python"]:
        raise ConfigError(
            "config: environment.site_python: torch site needs the interpreter's path"
        )
    if values["torch"] == "pinned" and values["site_python"]:
        raise ConfigError("config: environment.site_python: only torch site takes one")
    for key in ("horovod_sdist", "cuda_architectures", "build_variables"):
        if values["collectives"] == "torch" and values[key]:
            raise ConfigError(f"config: environment.{key}: collectives torch builds no Horovod")
    for key in ("site_python", "horovod_sdist", "cuda_architectures", "build_variables"):
        if values["container"] and values[key]:
            raise ConfigError(f"config: environment.{key}: in a container nothing is built")
    if values["gpu"] == "none" and values["cuda_architectures"]:
        raise ConfigError("config: environment.cuda_architectures: a build with gpu none has none")
