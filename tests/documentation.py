"""The pages of the documentation, and what of them can be tried: blocks of code, commands."""

import re
from pathlib import Path

from checkout import REPOSITORY

PAGES = sorted(
    path
    for pattern in ("*.md", "docs/*.md", "config/*.md", "examples/*.md", "profiles/*/*.md")
    for path in REPOSITORY.glob(pattern)
)
INDENTED = re.compile(r"(?:^ {4,}\S.*\n)+", re.M)
COMMENT = re.compile(r"(?:^|\s)#.*")


def blocks(page: Path, language: str) -> list[str]:
    """The fenced blocks of a page that are in a language."""
    return re.findall(rf"^```{language}\n(.*?)^```$", page.read_text("utf-8"), re.M | re.S)


def commands(page: Path, program: str) -> list[str]:
    """The lines of a page's blocks, fenced or indented, that start a program; without comments."""
    found = [*blocks(page, "bash"), *INDENTED.findall(page.read_text("utf-8"))]
    lines = [COMMENT.sub("", line).strip() for block in found for line in block.splitlines()]
    return [line for line in lines if line.split(" ")[0] == program]
