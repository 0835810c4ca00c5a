"""Resolved keys as words of a command line."""

from collections.abc import Iterable, Mapping
from pathlib import Path
from typing import Any

from elboflow.images.content import known_sha256
from elboflow.images.errors import BadData

CACHE = Path(".snakemake/data_digests")


def optional_flags(values: Mapping[str, Any], keys: Iterable[str]) -> list[str]:
    """Words for those keys that have a value: --some-key VALUE [VALUE ...]."""
    words = []
    for key in keys:
        if values[key]:
            given = values[key] if isinstance(values[key], list) else [values[key]]
            words += [_flag(key), *map(str, given)]
    return words


def dataset_flags(values: Mapping[str, Any]) -> list[str]:
    """The flags of those keys of a data set that are given; a path may begin with a dash."""
    words = [f"{_flag(key)}={values[key]}" for key in ("path", "data_dir") if values[key]]
    if values["path"]:
        words.append(f"--sha256={content_sha256(values['path'])}")
    return words + optional_flags(values, ["validation_images", "test_images", "mirrors"])


def path_in_plan(values: Mapping[str, Any]) -> str | list[str]:
    """The user's own file or folder, which the plan names. Snakemake takes braces for wildcards."""
    path = values["path"]
    return str(Path(path)) if path and not set("{}") & set(path) else []


def content_sha256(path: str) -> str:
    """The digest of the user's own file or folder: not its time but its content decides."""
    try:
        return known_sha256(Path(path), CACHE)
    except (BadData, OSError):
        return "unknown"  # it changes at this moment; fetch_data will find it other and say so


def _flag(key: str) -> str:
    return f"--{key.replace('_', '-')}"
