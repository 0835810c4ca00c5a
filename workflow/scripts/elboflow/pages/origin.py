"""Whose a page is, from which configuration and commit, and whether it is out of date."""

import hashlib
import html
import os
import subprocess
from collections.abc import Mapping, Sequence
from pathlib import Path
from typing import Any

from elboflow.files.whole import write_bytes

MARK = '<div class="warnings" id="out-of-date">'


def configuration(name: str | None, file: Path, words: Sequence[str]) -> dict[str, Any]:
    """What a page says of its experiment, but for the commit.

    Args:
        words: after --config.
    """
    relative = os.path.relpath(file)
    return {
        "experiment": name or "default",
        "file": file.name if relative.startswith("..") else relative,  # no path of a machine
        "sha256": hashlib.sha256(file.read_bytes()).hexdigest(),
        "words": list(words),
    }


def made_now(configuration: Mapping[str, Any] | None) -> dict[str, Any] | None:
    """With the commit of the checkout, which a page takes when it is made and not before."""
    return {**configuration, "commit": git_commit(Path(__file__).parent)} if configuration else None


def git_commit(folder: Path) -> str | None:
    """The commit of the checkout that holds `folder`, or None outside of one."""

    def git(*words: str) -> str:
        command = ["git", "-C", str(folder), *words]
        done = subprocess.run(command, capture_output=True, text=True, check=True, timeout=30)
        return done.stdout.strip()

    try:
        changed = git("status", "--porcelain", "--untracked-files=no")
        return git("rev-parse", "HEAD") + (" with uncommitted changes" if changed else "")
    except (OSError, subprocess.SubprocessError):
        return None


def mark(page: Path, configuration: Mapping[str, Any]) -> None:
    """Say at the top of a page, whose times stay, that a run replaces what it shows."""
    times = page.stat()
    text = page.read_text(encoding="utf-8")
    if MARK in text:
        return
    of = (
        f"experiment {configuration['experiment']}, from {configuration['file']} "
        f"(sha256 {configuration['sha256'][:12]})"
    )
    said = (
        f"{MARK}<p><strong>Out of date.</strong> A run began to replace what this page shows by "
        f"results of {html.escape(of)}, and has not ended. What is below is of before.</p></div>"
    )
    place = "<header>" if "<header>" in text else "<body>"
    write_bytes(page, text.replace(place, f"{place}\n{said}", 1).encode())
    os.utime(page, ns=(times.st_atime_ns, times.st_mtime_ns))


def is_marked(page: Path) -> bool:
    """Whether a page says that it is out of date."""
    try:
        return MARK in page.read_text(encoding="utf-8")
    except (OSError, UnicodeDecodeError):
        return False
