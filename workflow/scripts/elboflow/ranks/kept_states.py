"""States of trainings and evaluations by the digest of what they are of; the newest few are kept.

    python workflow/scripts/kept_states.py results

drops all but those that the present results were made from.
"""

import contextlib
import os
import re
import shutil
import sys
from pathlib import Path

from elboflow.files.whole import in_words, naming, remove_left_over
from elboflow.ranks import state_lock

MOST_KEPT = 4  # of each run and seed, beside one another
NAME = re.compile("[0-9a-f]{16}")
# Names the state that each folder of results was made from, the last used at the end: a clock may
# go back, a copy has new times, and experiments share states. Jobs of several may begin at once,
# so that each only adds a line.
USES = ".last"


def place(folder: Path, digest: str) -> Path:
    """The state of this digest, among those in a folder."""
    return folder / digest[:16]


def states(folder: Path) -> list[Path]:
    """All states in a folder, the one that was used last at the end; links are the user's own."""
    found = [path for path in folder.glob("*") if NAME.fullmatch(path.name) and _is_folder(path)]
    last = [*_uses(folder).values()][-1:]
    return sorted(found, key=lambda path: ([path.name] == last, path.stat().st_mtime_ns))


def _is_folder(path: Path) -> bool:
    return path.is_dir() and not path.is_symlink()


def _uses(folder: Path) -> dict[str, str]:
    """States by the results that were made from them, in the order of their last use.

    One that an earlier version wrote down is of the working directory, and with it of results.
    """
    try:
        lines = (folder / USES).read_text(encoding="utf-8", errors="replace").splitlines()
    except OSError:
        return {}
    found: dict[str, str] = {}
    for name, _, results in (line.partition(" ") for line in lines if line):
        found.pop(results, None)
        found[results] = name
    return found


def begin(state: Path, results: Path) -> None:
    """Open a state, new or former, as the one that is used now; of others drop the oldest.

    Args:
        results: the folder of what will be made from it.

    Raises:
        InUse: another job works on it, of an experiment whose run is the same to the last key.
    """
    if state.is_dir():
        os.utime(state)
    else:
        _make(state)
    state_lock.hold(state, results)
    remove_left_over(state)
    uses = state.parent / USES
    with naming(uses), uses.open("a", encoding="utf-8") as file:
        file.write(f"\n{state.name} {results}\n")  # what was torn before it ends here


def _make(state: Path) -> None:
    """A new state, in the place of the oldest."""
    others = states(state.parent)
    for old in others[: 1 - MOST_KEPT]:
        if not state_lock.is_held(old):
            shutil.rmtree(old)
    kept = others[1 - MOST_KEPT :]
    if kept:
        print(
            f"{state.parent}: what is kept there is of another specification, model, data or "
            f"version; starting over. It takes {megabytes(kept)}: the newest {MOST_KEPT} are kept, "
            "`make clean-state` drops all that no present result was made from",
            file=sys.stderr,
            flush=True,
        )
    state.mkdir(parents=True)


def megabytes(folders: list[Path]) -> str:
    """How much folders take, for readers."""
    size = 0
    for file in (file for folder in folders for file in folder.rglob("*")):
        with contextlib.suppress(FileNotFoundError):  # a job at work renames and removes some
            size += file.stat().st_size if file.is_file() else 0
    return f"{size / 1e6:.1f} MB"


def superfluous(results: Path) -> list[Path]:
    """States that no present result was made from, and that no job works on."""
    found = []
    for seed in sorted((results / "state").glob("*/seed*")):
        if seed.suffix == ".superseded":  # as earlier versions called them
            found += [seed] if _is_folder(seed) else []
            continue
        of_stages = [path for path in seed.glob("*") if not NAME.fullmatch(path.name)]
        for folder in (seed, *of_stages):
            used = {name for place, name in _uses(folder).items() if Path(place).is_dir()}
            unused = (state for state in states(folder) if state.name not in used)
            found += [state for state in unused if not state_lock.is_held(state)]
    return found


def main(results: Path) -> None:
    """Drop what is superfluous, and say how much that was."""
    found = superfluous(results)
    freed = megabytes(found)
    try:
        for state in found:
            shutil.rmtree(state)
    except OSError as error:
        error.filename = str(state)  # rmtree's is the bare name of a file in it
        raise SystemExit(f"error: {in_words(error)}") from None
    print(f"{results}/state: {len(found)} former states dropped, {freed} freed")
