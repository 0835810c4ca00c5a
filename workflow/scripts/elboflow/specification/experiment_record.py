"""Which configuration the results of an experiment are of: a small file beside them.

Two configurations of one name would overwrite each other's results, and two data sets of one name,
which experiments share, each other's images.
"""

import json
import os
from pathlib import Path
from typing import Any

from elboflow.files.json_object import read_object
from elboflow.files.whole import write_bytes
from elboflow.specification.experiment import experiment_folder
from elboflow.specification.yaml_readings import ConfigError, one_line

FILE = "experiment.json"


def record(file: Path, datasets: dict[str, Any]) -> dict[str, Any]:
    """What is written down: the path of the configuration, and its data sets, resolved."""
    relative = os.path.relpath(file)
    path = str(file.resolve()) if relative.startswith("..") else relative
    return {"configuration": path, "datasets": datasets}


def write_record(results: Path, name: str | None, record: dict[str, Any]) -> None:
    """Write it down as the experiment begins."""
    content = json.dumps(record, indent=2, sort_keys=True) + "\n"
    write_bytes(experiment_folder(results, name) / FILE, content.encode())


def refuse_other_records(results: Path, name: str | None, record: dict[str, Any]) -> None:
    """Raise ConfigError where the place is another configuration's, or a data set another."""
    folder = experiment_folder(results, name)
    former = read_object(folder / FILE).get("configuration", record["configuration"])
    # A file that was moved is the same experiment's.
    if name and former != record["configuration"] and Path(str(former)).is_file():
        raise ConfigError(
            f"config: {folder} has the results of {one_line(str(former))}; give "
            f"{one_line(record['configuration'])} another `name:`, or delete that folder"
        )
    for file in (results / FILE, *sorted(results.glob(f"*/{FILE}"))):
        if file.parent != folder:
            _refuse_other_datasets(file.parent, read_object(file), record["datasets"])


def _refuse_other_datasets(place: Path, other: dict[str, Any], datasets: dict[str, Any]) -> None:
    known = other.get("datasets")
    for dataset, values in datasets.items():
        if isinstance(known, dict) and known.get(dataset, values) != values:
            raise ConfigError(
                f"config: datasets.{dataset}: the experiment in {place} has another data set of "
                "this name, and data sets are shared; give this one another name, or delete "
                f"{place / FILE}"
            )
