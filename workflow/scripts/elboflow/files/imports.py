"""Which of the workflow's modules a script consists of, so that no rule keeps a list of them."""

import ast
import functools
from collections.abc import Iterator, Set
from pathlib import Path

from elboflow.files.code_digest import parsed

# How a result comes about, not what it is: progress, interruptions, locks, digests, and how files
# are written; and the defaults of a specification, since the file of a run has the value of every
# key. A change of these computes nothing again; nor do their own imports count.
CHANGES_NO_RESULT = frozenset(
    f"elboflow.{name}"
    for name in (
        *("environment.cuda", "files.code_digest", "files.stage_outputs", "files.whole"),
        *("ranks.followed", "ranks.job_end", "ranks.kept_states", "ranks.progress", "ranks.signs"),
        *("ranks.speed", "ranks.state_digest", "ranks.state_lock", "ranks.user_errors"),
        "vae.spec",
    )
)


def modules_of(script: str | Path, *named: str, without: Set[str] = CHANGES_NO_RESULT) -> list[str]:
    """The script and all modules beside it that it imports, directly or through others, sorted.

    Args:
        named: dotted names of modules that it is given to import.
        without: modules that are left out, with what they import, by their dotted names.
    """
    script = Path(script)
    found = {script, *(place for name in named for place in _places(script.parent, name))}
    todo = list(found)
    while todo:
        imported = [
            place
            for name in _names(todo.pop(), script.parent)
            if not without & {name, name.rpartition(".")[0]}
            for place in _places(script.parent, name)
        ]
        todo += set(imported) - found
        found.update(imported)
    return sorted(map(str, found))


@functools.cache
def _places(folder: Path, name: str) -> list[Path]:
    """The files of a dotted name, if there are any: the module, and __init__ of each package."""
    parts = name.split(".")
    packages = [folder.joinpath(*parts[:depth]) for depth in range(1, len(parts) + 1)]
    files = [packages[-1].with_suffix(".py"), *(package / "__init__.py" for package in packages)]
    return [file for file in files if file.exists()]


@functools.cache
def _names(path: Path, folder: Path) -> list[str]:
    """What a file imports: `from a import b` may mean a.b, and stands for both."""
    return list(_imported(parsed(str(path)), path.parent.relative_to(folder).parts))


def _statements(node: ast.AST) -> Iterator[ast.AST]:
    """All statements below a node; expressions import nothing, and would take most of the time."""
    for block in ("body", "orelse", "finalbody", "handlers", "cases"):
        for statement in getattr(node, block, ()):
            yield statement
            yield from _statements(statement)


def _imported(tree: ast.AST, package: tuple[str, ...]) -> Iterator[str]:
    for node in _statements(tree):
        if isinstance(node, ast.Import):
            yield from (alias.name for alias in node.names)
        elif isinstance(node, ast.ImportFrom):
            # One dot is the package that the file lies in, each further one the package around it.
            around = package[: len(package) + 1 - node.level] if node.level else ()
            module = [*around, *([node.module] if node.module else [])]
            names = [module, *([*module, alias.name] for alias in node.names)]
            yield from (".".join(name) for name in names if name)
