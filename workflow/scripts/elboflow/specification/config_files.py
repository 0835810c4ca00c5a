"""Refuse what Snakemake passes over in the files of a configuration.

Snakemake reads them itself, by the rules of YAML 1.1: the last of two equal keys wins, 010 is 8,
1:30 is 90 and no is false. Here they are read again, and nothing is taken from them.
"""

import json
import os
from collections.abc import Collection, Sequence
from pathlib import Path
from typing import Any

import yaml

from elboflow.specification.yaml_readings import (
    MOST_LEVELS,
    MOST_NODES,
    ConfigError,
    NodeCheck,
    line_of,
    one_line,
)

MOST_CONFIG_BYTES = 1 << 20


def check_files(files: Sequence[Path], booleans: Collection[str]) -> None:
    """Read what --configfile names, or the default; raises ConfigError at the first mistake.

    Args:
        booleans: keys whose values may be yes or no.
    """
    if len(files) > 1:
        names = ", ".join(map(shown_path, files))
        raise ConfigError(
            f"config: {len(files)} files with --configfile ({names}) would be mixed; "
            "write one file, or give single keys with --config"
        )
    for file in files:
        check_file(file, booleans)


def check_file(path: Path, booleans: Collection[str] = ()) -> None:
    """Read a file of YAML or JSON strictly; raises ConfigError."""
    where = f"config: {shown_path(path)}"
    check_text(_read(path, where), where, booleans)


def read_file(path: Path, booleans: Collection[str] = ()) -> dict[str, Any]:
    """What stands in a file that check_file lets pass."""
    check_file(path, booleans)
    config: dict[str, Any] = yaml.safe_load(path.read_text(encoding="utf-8"))
    return config


def check_profile(path: Path) -> None:
    """Read a profile as strictly, but for its keys, which are Snakemake's; raises ConfigError."""
    where = f"config: {shown_path(path)}"
    if document := _compose(text := _read(path, where), where):
        NodeCheck(where, numbers=not _is_json(text)).check(document)


def check_text(text: str, where: str, booleans: Collection[str] = ()) -> None:
    """Read a document, whose top level must be a mapping, strictly; raises ConfigError."""
    document = _compose(text, where)
    if document is None:
        raise ConfigError(f"{where}: nothing stands in it; config/README.md has the keys")
    if not isinstance(document, yaml.MappingNode):
        raise ConfigError(f"{where}: keys are missing at the top level, as in `runs:`")
    if "__use_yte__" in [key.value for key, _ in document.value]:
        raise ConfigError(f"{where}: __use_yte__: templates are not supported; write the values")
    NodeCheck(where, booleans, numbers=not _is_json(text)).check(document)


def shown_path(path: Path) -> str:
    """A path for messages: relative where it lies below the working directory."""
    relative = os.path.relpath(path)
    return one_line(str(path) if relative.startswith("..") else relative)


def _read(path: Path, where: str) -> str:
    try:
        if not path.is_file():
            kind = "is no file" if path.exists() else "there is no such file"
            raise ConfigError(f"{where}: {kind}")
        with path.open("rb") as file:
            content = file.read(MOST_CONFIG_BYTES + 1)
    except OSError as error:
        raise ConfigError(f"{where}: {error.strerror}") from None
    if len(content) > MOST_CONFIG_BYTES:
        raise ConfigError(
            f"{where}: more than 1 MiB, as no configuration has; is it the right file?"
        )
    try:
        return content.decode()
    except UnicodeDecodeError as error:
        line = content.count(b"\n", 0, error.start) + 1
        raise ConfigError(f"{where}, line {line}: not UTF-8; save the file as such") from None


def _compose(text: str, where: str) -> yaml.Node | None:
    """The nodes of a file, or ConfigError with the line where they cannot be read."""
    # Only JSON can have tabs there.
    text = text.replace("\t", " ") if _is_json(text) else text
    try:
        return nodes_of(text, where)
    except yaml.MarkedYAMLError as error:
        line = error.problem_mark.line if error.problem_mark else 0
        tab = "\t" in "".join(text.splitlines()[line : line + 1])
        hint = "; indent with blanks, not with tabs" if tab else ""
        problem = one_line(", ".join(filter(None, [error.context, error.problem])))
        raise ConfigError(f"{where}, line {line + 1}: no valid YAML: {problem}{hint}") from None
    except (yaml.YAMLError, ValueError, OverflowError) as error:
        problem = one_line(" ".join(str(error).split()))
        raise ConfigError(f"{where}: no valid YAML: {problem}") from None


def nodes_of(text: str, where: str) -> yaml.Node | None:
    """The nodes of a document without tags, of so few levels that it can be read recursively."""
    level = 0
    for number, event in enumerate(yaml.parse(text, Loader=yaml.SafeLoader)):
        level += isinstance(event, yaml.CollectionStartEvent)
        level -= isinstance(event, yaml.CollectionEndEvent)
        complaint = f"more than {MOST_LEVELS} levels deep" if level > MOST_LEVELS else None
        if number > 2 * MOST_NODES:  # each node takes one event, or two
            complaint = f"more than {MOST_NODES} values"
        if tag := getattr(event, "tag", None):
            known = one_line(tag.replace("tag:yaml.org,2002:", "!!"), 60)
            complaint = f"tags as {known} are not supported; write the value alone"
        if complaint:
            raise ConfigError(f"{where}, line {line_of(event)}: {complaint}")
    return yaml.compose(text, Loader=yaml.SafeLoader)


def _is_json(text: str) -> bool:
    """Whether Snakemake reads it as JSON, which it tries first."""
    try:
        json.loads(text)
    except (ValueError, RecursionError):
        return False
    return True
