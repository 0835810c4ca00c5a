"""What may go from a clone and its caches, with its size, and what is lost with it."""

import argparse
import shutil
import sys
from collections.abc import Iterator
from pathlib import Path
from typing import NamedTuple

from elboflow.files.whole import in_words
from elboflow.ranks import state_lock
from elboflow.ranks.kept_states import megabytes, superfluous

RECORD = "experiment.json"  # lies beside the results of each experiment


class Part(NamedTuple):
    """Folders that may go together."""

    name: str
    folders: list[Path]
    lost: str


def parts(results: Path, cache: Path) -> Iterator[Part]:
    """All that may go; no present result but those that a part names is made from it."""
    yield Part("state", superfluous(results), "going back to a former edit trains anew")
    logs = [results / "logs", *results.glob("*/logs"), Path(".snakemake/log")]
    yield Part("logs", [path for path in logs if path.is_dir()], "what jobs printed")
    yield Part(
        "cache",
        [cache] if cache.is_dir() else [],
        "the next environment compiles Horovod again, and data are downloaded",
    )
    for record in sorted(results.glob(f"*/{RECORD}")):
        folder = record.parent
        yield Part(folder.name, [folder], "this experiment: results, models, pages")


def table(found: list[Part]) -> str:
    """The parts by line."""
    rows = [(part.name, megabytes(part.folders), part.lost) for part in found]
    widths = [max(len(row[column]) for row in rows) for column in range(2)]
    return "\n".join(
        f"{name:{widths[0]}}  {size:>{widths[1]}}  {lost}" for name, size, lost in rows
    )


def at_work(part: Part) -> Path | None:
    """Where a job of an experiment tells how far it is, if one is at work now."""
    locks = (lock for folder in part.folders for lock in sorted(folder.glob("state/**/.lock")))
    return next((lock.parent for lock in locks if state_lock.is_held(lock.parent)), None)


def drop(part: Part) -> None:
    """Remove a part, and say how much that was."""
    size = megabytes(part.folders)
    try:
        for folder in part.folders:
            shutil.rmtree(folder)
    except OSError as error:
        error.filename = str(folder)  # rmtree's is the bare name of a file in it
        raise SystemExit(f"error: {in_words(error)}") from None
    print(f"{part.name}: {len(part.folders)} folders dropped, {size} freed")


def main(words: list[str] | None = None) -> None:
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("results", type=Path)
    parser.add_argument("cache", type=Path)
    parser.add_argument("part", nargs="?", help="what is to go; without it all is listed")
    parser.add_argument("--yes", action="store_true", help="without asking")
    args = parser.parse_args(words)
    found = list(parts(args.results, args.cache))
    if not args.part:
        print(table(found))
        return
    chosen = [part for part in found if part.name == args.part]
    if not chosen:
        names = ", ".join(part.name for part in found)
        raise SystemExit(f"error: nothing is called {args.part!r}; there are {names}")
    print(table(chosen))
    if busy := at_work(chosen[0]):
        raise SystemExit(f"error: {busy} is being worked on: wait for its end, or end it")
    if args.yes or _agreed():
        drop(chosen[0])


def _agreed() -> bool:
    """Whether a person says so; nobody is there to ask where input is no terminal."""
    if not sys.stdin.isatty():
        raise SystemExit("error: nobody can be asked here; YES=1 drops it")
    return input("drop it? [y/N] ").strip().lower() in ("y", "yes")
