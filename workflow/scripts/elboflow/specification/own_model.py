"""The user's own model: its file, its class, and which files a run of it rests on."""

import contextlib
from collections.abc import Mapping
from pathlib import Path
from typing import Any

from elboflow.files.imports import modules_of
from elboflow.files.whole import sha256
from elboflow.specification.flags import content_sha256


def file_and_class(model: str) -> tuple[str, str]:
    """The two parts of `path.py:Class`; an empty one where it is missing."""
    path, _, name = model.rpartition(":")
    return path, name


def own_files(values: Mapping[str, Any]) -> dict[str, str]:
    """The sha256 of the model's file, of modules that it imports from beside it, and of weights.

    What cannot be read is left out: it is complained about where files are looked at.
    """
    digests = {}
    path = file_and_class(values["model"] or "")[0]
    with contextlib.suppress(OSError, ValueError):  # of a name that no file can have
        if path:
            for module in modules_of(path, without=frozenset()):
                digests[module] = sha256(Path(module))
    if values["weights"]:
        digests[values["weights"]] = content_sha256(values["weights"])
    return digests
