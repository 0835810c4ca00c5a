"""A digest of what Python code does: comments, docstrings and layout change nothing in it.

Of the syntax tree, in a form of its own, since ast.dump writes another one with each version of
Python.
"""

import ast
import functools
import hashlib
from collections.abc import Iterable
from pathlib import Path
from typing import Any

DOCUMENTED = (ast.Module, ast.ClassDef, ast.FunctionDef, ast.AsyncFunctionDef)


def digest(paths: Iterable[str | Path]) -> str:
    """The sha256 of files, in their order: of Python's code, and of every byte of the others."""
    total = hashlib.sha256()
    for path in paths:
        total.update(hashlib.sha256(_essence(str(path))).digest())
    return total.hexdigest()


@functools.cache
def parsed(path: str) -> ast.Module:
    """The syntax tree of a file; an empty one of what is no code that Python could run."""
    try:
        return ast.parse(Path(path).read_bytes())
    except (SyntaxError, ValueError, RecursionError, MemoryError):
        return ast.Module([], [])


@functools.cache
def _essence(path: str) -> bytes:
    try:
        if path.endswith(".py") and parsed(path).body:
            return ascii(_outline(parsed(path))).encode()
    except RecursionError:
        pass
    return Path(path).read_bytes()


def _outline(node: Any) -> Any:
    """A node as lists and strings; what is absent is left out, since versions add empty fields."""
    if isinstance(node, list):
        return [_outline(entry) for entry in node]
    if not isinstance(node, ast.AST):
        return [type(node).__name__, ascii(node)]
    fields = {name: value for name, value in ast.iter_fields(node) if value not in (None, [])}
    fields.pop("kind", None)  # whether a string has a u in front
    if isinstance(node, ast.JoinedStr):  # into which Python 3.12 puts empty pieces
        fields["values"] = [v for v in node.values if getattr(v, "value", None) != ""]
    if isinstance(node, DOCUMENTED) and ast.get_docstring(node, clean=False) is not None:
        fields["body"] = fields["body"][1:]
    return [type(node).__name__, *([name, _outline(value)] for name, value in fields.items())]
