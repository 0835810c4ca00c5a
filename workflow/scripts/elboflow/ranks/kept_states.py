"""States of trainings and evaluations by the digest of what they are of; the newest few are kept.

    python workflow/scripts/kept_states.py results

drops all but those that the present results were made from.
"""

import os
import re
import shutil
import sys
from pathlib import Path

from elboflow.files.whole import in_words, remove_left_over, write_bytes
from elboflow.ranks import state_lock

MOST_KEPT = 4  # of each run and seed, beside one another
NAME = re.compile("[0-9a-f]{16}")
LAST = ".last"  # names the state that was used last: a clock may go back, and a copy has new times


def place(folder: Path, digest: str) -> Path:
    """The state of this digest, among those in a folder."""
    return folder / digest[:16]


def states(folder: Path) -> list[Path]:
    """All states in a folder, the one that was used last at the end; links are the user's own."""
    found = [path for path in folder.glob("*") if NAME.fullmatch(path.name) and _is_folder(path)]
    last = _last(folder)
    return sorted(found, key=lambda path: (path.name == last, path.stat().st_mtime_ns))


def _is_folder(path: Path) -> bool:
    return path.is_dir() and not path.is_symlink()


def _last(folder: Path) -> str | None:
    try:
        return (folder / LAST).read_text(encoding="utf-8", errors="replace")
    except OSError:
        return None  # as with earlier versions


def begin(state: Path) -> None:
    """Open a state, new or former, as the one that is used now; of others drop the oldest."""
    remove_left_over(state)
    if state.is_dir():
        os.utime(state)
    else:
        _make(state)
    write_bytes(state.parent / LAST, state.name.encode())


def _make(state: Path) -> None:
    """A new state, in the place of the oldest."""
    others = states(state.parent)
    for old in others[: 1 - MOST_KEPT]:
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
    files = (file for folder in folders for file in folder.rglob("*") if file.is_file())
    return f"{sum(file.stat().st_size for file in files) / 1e6:.1f} MB"


def superfluous(results: Path) -> list[Path]:
    """States that no present result was made from: all but the last used one of what there is.

    A job that works on one made it the last used one as it began.
    """
    found = []
    for seed in sorted((results / "state").glob("*/seed*")):
        if seed.suffix == ".superseded":  # as earlier versions called them
            found += [seed] if _is_folder(seed) else []
            continue
        made = Path("runs", seed.parent.name, seed.name)
        has_results = any(place.is_dir() for place in (results / made, *results.glob(f"*/{made}")))
        of_stages = [path for path in seed.glob("*") if not NAME.fullmatch(path.name)]
        for folder in (seed, *of_stages):
            former = states(folder)
            used = has_results or state_lock.is_held(folder)
            found += former[:-1] if used else former
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
