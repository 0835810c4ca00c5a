"""Copies of configuration files as they are now, for jobs that start later."""

import contextlib
import hashlib
from collections.abc import Iterable
from pathlib import Path

from . import files


class Configs:
    """The copies of one working directory: DIGEST.yaml, each of one content."""

    def __init__(self, folder: Path) -> None:
        self.folder = folder
        self.kept: dict[Path, str] = {}

    def keep(self, given: Iterable[Path]) -> list[Path]:
        """Copy files; the copies, in their order."""
        copies = []
        for file in given:
            text = file.read_text()
            digest = hashlib.sha256(text.encode()).hexdigest()[:16]
            copies.append(self.folder / f"{digest}{file.suffix}")
            self.kept[copies[-1]] = text
            if not _holds(copies[-1], text):
                files.write_whole(copies[-1], text)
        return copies

    def write_again(self) -> None:
        """Write what someone removed."""
        for copy, text in self.kept.items():
            files.write_whole(copy, text)


def _holds(path: Path, text: str) -> bool:
    with contextlib.suppress(OSError, UnicodeDecodeError):
        return path.read_text() == text
    return False
