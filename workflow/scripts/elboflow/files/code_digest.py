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
            return _outline(parsed(path)).encode()
    except RecursionError:
        pass
    return Path(path).read_bytes()


def _outline(node: Any) -> str:
    """A node as Python writes lists of strings, without what is absent: versions add empty fields.

    Written at once, and not as lists first: it is part of every start of Snakemake and of a rank.
    """
    if isinstance(node, list):
        return f"[{', '.join(map(_outline, node))}]"
    if not isinstance(node, ast.AST):
        return f"['{type(node).__name__}', {ascii(node)!a}]"
    values = [(name, getattr(node, name, None)) for name in node._fields]
    fields = {name: value for name, value in values if value is not None and value != []}
    fields.pop("kind", None)  # whether a string has a u in front
    if isinstance(node, ast.JoinedStr):  # into which Python 3.12 puts empty pieces
        fields["values"] = [v for v in node.values if getattr(v, "value", None) != ""]
    if isinstance(node, DOCUMENTED) and ast.get_docstring(node, clean=False) is not None:
        fields["body"] = fields["body"][1:]
    entries = [f"['{name}', {_outline(value)}]" for name, value in fields.items()]
    return f"[{', '.join([repr(type(node).__name__), *entries])}]"
