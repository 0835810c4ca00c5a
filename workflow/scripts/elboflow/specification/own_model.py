"""The user's own model and weights: which files a run rests on, and what is wrong with them.

Nothing of them is run here: a file of Python is parsed, and weights have a name that says the kind.
"""

import ast
import contextlib
from collections.abc import Iterator, Mapping, Set
from pathlib import Path
from typing import Any

from elboflow.files.imports import modules_of
from elboflow.files.whole import sha256
from elboflow.images.own_files import printable
from elboflow.specification.flags import content_sha256
from elboflow.vae.choices import DATA
from elboflow.vae.spec import OF_BUILT_IN, OF_OWN

SUFFIXES = (".safetensors", ".pt", ".pth", ".bin", ".ckpt")  # all but the first are torch.save's


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
        if path and Path(path).is_file():  # a pipe would be waited for
            for module in modules_of(path, without=frozenset()):
                digests[module] = sha256(Path(module))
    if values["weights"]:
        digests[values["weights"]] = content_sha256(values["weights"])
    return digests


def complaint_about_keys(values: Mapping[str, Any], given: Set[str]) -> str | None:
    """What is wrong without a look at any file, as `key: what to do`; None if nothing is.

    Args:
        values: a resolved run.
        given: the keys that the run has itself, or that stand beside its model.
    """
    model, weights = values["model"], values["weights"]
    if not model:
        for key in OF_OWN[1:]:
            if values[key]:
                return f"{key}: is of your own model; name it, as model: my_models.py:MyModel"
    else:
        path, name = file_and_class(model)
        if not (path.endswith(".py") and name.isidentifier()):
            return f"model: {printable(model)} is not path.py:Class, as my_models.py:MyModel"
        if not values["observes"]:
            return f"observes: your own model needs it; say {', '.join(DATA)}"
        for key in OF_BUILT_IN:
            if key in given:
                return f"{key}: is of built-in models, and does nothing beside model; take it out"
    if weights and not weights.endswith(SUFFIXES):
        return f"weights: {printable(weights)} ends in none of {', '.join(SUFFIXES)}"
    if weights and len(values["seeds"]) > 1:
        return "seeds: weights are of one training; give one seed, which keys the noise"
    return None


def complaint_about_files(values: Mapping[str, Any]) -> str | None:
    """What is wrong with the files, as `key: what to do`; None if nothing is."""
    for key, path in (
        ("model", file_and_class(values["model"] or "")[0]),
        ("weights", values["weights"]),
    ):
        if path and (complaint := _unreadable(path)):
            return f"{key}: {printable(path)}: {complaint}"
    if not values["model"]:
        return None
    path, name = file_and_class(values["model"])
    for module in modules_of(path, without=frozenset()):
        try:
            tree = ast.parse(Path(module).read_bytes(), module)
        except SyntaxError as error:
            line = f", line {error.lineno}" if error.lineno else ""
            return f"model: {printable(module)}{line}: {error.msg}"
        except (ValueError, RecursionError, MemoryError) as error:
            why = error if isinstance(error, ValueError) else "is nested too deeply"
            return f"model: {printable(module)}: {why}"
        if module == path and not {name, "*"} & set(_names(tree.body)):
            classes = [node.name for node in tree.body if isinstance(node, ast.ClassDef)]
            known = f"; it has {', '.join(classes)}" if classes else ""
            return f"model: {printable(path)} has no class {name}{known}"
    return None


def _unreadable(path: str) -> str | None:
    try:
        if Path("results").resolve() in Path(path).resolve().parents:
            return "lies in results/, where old files are removed; move it elsewhere"
        if not Path(path).is_file():
            return "no such file; correct the path"
        with Path(path).open("rb"):
            return None
    except (OSError, ValueError) as error:
        return f"cannot be read ({getattr(error, 'strerror', None) or error}); correct the path"


def _names(body: list[ast.stmt]) -> Iterator[str]:
    """What a module binds at its top level; `*` is all of another module."""
    for node in body:
        if isinstance(node, ast.ClassDef | ast.FunctionDef):
            yield node.name
        elif isinstance(node, ast.Import | ast.ImportFrom):
            yield from (alias.asname or alias.name for alias in node.names)
        elif isinstance(node, ast.Assign):
            yield from (target.id for target in node.targets if isinstance(target, ast.Name))
        elif isinstance(node, ast.If | ast.Try | ast.ExceptHandler):
            for block in ("body", "orelse", "handlers"):
                yield from _names(getattr(node, block, []))
