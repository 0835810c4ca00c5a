"""The name of an experiment, which is all that one configuration computes, and the folder of it."""

import re
from pathlib import Path
from typing import Any

from elboflow.specification.resolve import resolve_key
from elboflow.specification.yaml_readings import ConfigError, one_line

DEFAULT_FILE = Path("config/config.yaml")
NAME = re.compile(r"[A-Za-z0-9][A-Za-z0-9_.-]{0,99}")
# What lies in results/ itself: of the default experiment, and what all experiments share.
TAKEN = {
    *("environment", "data", "state"),
    *("runs", "tables", "figures", "chapter", "machine", "logs"),
    *("experiment.json", "report.html", "chapter.html", "machine.html", "gpu_check", "cache"),
    *("report_so_far.html", "compare.html", "crate", "default"),
}


def experiment_name(config: dict[str, Any], file: Path | None = None) -> str | None:
    """The key `name`, else the stem of the configuration's file; None is the default experiment.

    Args:
        config: whose form has been checked.
        file: that of --configfile; none is the default's.

    Raises:
        ConfigError: the name can be no folder in results/, or is that of another one.
    """
    name, where = resolve_key(config, "name"), "name"
    if name is None:
        if file is None or file.resolve() == DEFAULT_FILE.resolve():
            return None
        name, where = file.stem, f"--configfile {one_line(str(file))}"
    if not NAME.fullmatch(name):
        raise ConfigError(
            f"config: {where}: {one_line(name)!r} can be no folder in results/; give the "
            "configuration a `name:` of letters, digits, _, . and -"
        )
    if name.lower() in TAKEN:
        raise ConfigError(
            f"config: {where}: results/{name} is there for something else; give the "
            "configuration another `name:`"
        )
    return name


def experiment_folder(results: Path, name: str | None) -> Path:
    """Where the results of an experiment lie."""
    return results / name if name else results
