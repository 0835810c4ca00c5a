"""Find what is wrong with a configuration before anything starts, and say it in one line."""

import contextlib
import difflib
import sys
from pathlib import Path
from typing import Any

import check_model
from jsonschema import Draft202012Validator
from jsonschema.exceptions import ValidationError, best_match
from jsonschema.validators import extend
from published_values import complaint_about
from resolve_run import ranks, read_schema, resolve, resolve_dataset, resolve_environment
from yaml_readings import ConfigError, one_line

# Published images for training and for validation unless the latter are published apart, and for
# testing. Of a table, rows.
PUBLISHED = {
    "digits": (1797, None),
    "mnist": (60_000, 10_000),
    "fashion-mnist": (60_000, 10_000),
    "binarized-mnist": (50_000, 10_000),
    "omniglot": (24_345, 8_070),
    "spambase": (4_601, None),
}
PUBLISHED_VALIDATION = {"binarized-mnist": 10_000}
TABLES = ("spambase",)  # of rows with labels, and no images
LEAST_ROWS = 100  # of a table, to train and to test a classifier
DOWNLOADED = [source for source in PUBLISHED if source != "digits"]

LARGEST = sys.float_info.max
# JSON calls 10.0 an integer and knows no NaN; a layer of 10.0 units or a rate of NaN dies late.
Validator = extend(
    Draft202012Validator,
    type_checker=Draft202012Validator.TYPE_CHECKER.redefine_many(
        {
            "integer": lambda _, value: type(value) is int,
            "number": lambda _, value: type(value) in (int, float) and abs(value) <= LARGEST,
        }
    ),
)


def check(config: dict[str, Any]) -> None:
    """Raise ConfigError at the first thing that is wrong."""
    error = best_match(Validator(read_schema()).iter_errors(config))
    if error:
        raise ConfigError(f"config: {one_line(_explain(error), 400)}; see config/README.md")
    for name in config["datasets"]:
        _check_dataset(name, resolve_dataset(config, name))
    for run in config["runs"]:
        _check_run(config, run, resolve(config, run))
    _check_environment(resolve_environment(config))


def _explain(error: ValidationError) -> str:
    where = ".".join(str(step) for step in error.absolute_path) or "top level"
    schema: Any = error.schema
    if error.validator == "additionalProperties":
        known = list(schema["properties"])
        found: Any = error.instance
        unknown = next(key for key in found if key not in known)
        close = difflib.get_close_matches(str(unknown), known, 1)
        hint = f", did you mean {close[0]}?" if close else f", known are {', '.join(known)}"
        return f"{where}: unknown key {unknown!r}{hint}"
    hint = ""
    if error.instance is None and error.validator_value == "object":
        return f"{where}: nothing stands below it; write keys there, or take it out"
    if isinstance(error.instance, str) and error.validator == "type":
        kind = int if error.validator_value == "integer" else float
        with contextlib.suppress(ValueError):
            hint = f", write {kind(error.instance)!r} (YAML reads {error.instance} as text)"
    return f"{where}: {error.message}{hint}"


def _check_dataset(name: str, values: dict[str, Any]) -> None:
    where, source = f"config: datasets.{name}", values["source"]
    for key, sources in {
        "path": ["file"],
        "data_dir": DOWNLOADED,
        "mirrors": DOWNLOADED,
    }.items():
        if values[key] and source not in sources:
            raise ConfigError(f"{where}.{key}: the source {source} takes none")
    if source == "file":
        if not values["path"]:
            raise ConfigError(f"{where}.path: the source file needs the path of your file")
        if not Path(values["path"]).exists():
            raise ConfigError(f"{where}.path: there is no file or folder {values['path']}")
    published = {
        "validation": PUBLISHED_VALIDATION.get(source),
        "test": PUBLISHED.get(source, (None, None))[1],
    }
    for part, images in published.items():
        wanted = values[f"{part}_images"]
        if wanted is None and not images and _needs(source, part):
            raise ConfigError(
                f"{where}.{part}_images: {source} has no published {part} split, give a number"
            )
        if images and (wanted or 0) > images:
            raise ConfigError(f"{where}.{part}_images: {source} has {images} {part} images")
    left = _training_images(values)
    if left is not None and left < 1:
        raise ConfigError(f"{where}: no training images are left of {source}'s")
    if source in TABLES and min(left or 0, values["test_images"]) < LEAST_ROWS:
        raise ConfigError(
            f"{where}: a classifier needs {LEAST_ROWS} rows at least for training and for the test"
        )


def _needs(source: str, part: str) -> bool:
    """Whether a run or a reader needs a part; what a file has is known when it is read."""
    return source != "file" and not (source in TABLES and part == "validation")


def _training_images(dataset: dict[str, Any]) -> int | None:
    """How many images a data set leaves for training, where that is known before it is read."""
    images, published_test = PUBLISHED.get(dataset["source"], (None, None))
    if images is None:
        return None
    drawn = 0 if published_test else dataset["test_images"]
    if dataset["source"] not in PUBLISHED_VALIDATION:
        drawn += dataset["validation_images"] or 0
    return images - drawn


def _check_run(config: dict[str, Any], run: str, values: dict[str, Any]) -> None:
    where = f"config: runs.{run}"
    if values["dataset"] not in config["datasets"]:
        names = ", ".join(config["datasets"])
        raise ConfigError(f"{where}.dataset: no data set {values['dataset']!r}, known are {names}")
    if (source := resolve_dataset(config, values["dataset"])["source"]) in TABLES:
        raise ConfigError(
            f"{where}.dataset: {source} is a table without images; name a data set of images"
        )
    for level, keys in (
        (where, config["runs"][run]),
        ("config: defaults", config.get("defaults", {})),
    ):
        if "batch_size" in keys and keys.get("batch_per_rank") is not None:
            raise ConfigError(f"{level}: give batch_size or batch_per_rank, not both")
    if values["objective"] == "importance_weighted" and (
        values["beta"] != 1 or values["warmup_epochs"]
    ):
        raise ConfigError(
            f"{where}: importance_weighted is a bound only with beta 1 and no warm-up"
        )
    if complaint := check_model.complaint_about(values):
        raise ConfigError(f"{where}.{complaint}")
    _check_sizes(where, values, resolve_dataset(config, values["dataset"]))
    if complaint := complaint_about(values["published"], values["likelihood"], source):
        raise ConfigError(f"{where}.published: {complaint}")


def _check_sizes(where: str, values: dict[str, Any], dataset: dict[str, Any]) -> None:
    images = _training_images(dataset)
    if images is not None and values["batch_size"] > images:
        size = values["batch_size"]
        raise ConfigError(f"{where}.batch_size: {size} is more than the {images} training images")
    tested = dataset["test_images"] or PUBLISHED.get(dataset["source"], (0, None))[1]
    for key in ("figure_images", "ais_images"):
        if tested and values[key] > tested:
            raise ConfigError(f"{where}.{key}: there are only {tested} test images")
    known = (values["batch_size"], dataset["validation_images"], tested)
    smallest = min(count for count in known if count)
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
    if values["gpu"] == "none" and values["cuda_architectures"]:
        raise ConfigError("config: environment.cuda_architectures: a build with gpu none has none")
