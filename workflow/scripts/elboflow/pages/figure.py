"""A figure of a page: the drawing, and its caption in words."""

from collections.abc import Sequence
from pathlib import Path
from typing import Any

from jinja2 import StrictUndefined, Template

from elboflow.pages.inline import inline_svg

LARGEST = 1_500_000  # bytes of a drawing that is put into a page: more would make it slow
TITLE = ".. title: "  # begins a caption, as a comment of reStructuredText


def figure(
    path: str | Path, caption: str | Path, numbers: Sequence[str] = (), **params: Any
) -> dict[str, Any]:
    """What the macro `figure_block` prints.

    Args:
        numbers: names of the tables of the page that the figure is drawn from.
    """
    title, _ = _title_and_text(caption)
    size = Path(path).stat().st_size
    return {
        "name": Path(path).stem,
        "title": title,
        "svg": inline_svg(path, title) if size <= LARGEST else None,
        "megabytes": size / 1e6,
        "caption": paragraphs(caption, **params),
        "numbers": numbers,
    }


def paragraphs(caption: str | Path, **params: Any) -> list[str]:
    """The paragraphs of a caption, with the numbers that Snakemake's own report would fill in.

    Its title is left out.
    """
    _, text = _title_and_text(caption)
    filled = Template(text, undefined=StrictUndefined).render(snakemake={"params": params})
    return [part.strip() for part in filled.split("\n\n") if part.strip()]


def _title_and_text(caption: str | Path) -> tuple[str, str]:
    text = Path(caption).read_text(encoding="utf-8")
    first, _, rest = text.partition("\n")
    return (first.removeprefix(TITLE), rest) if first.startswith(TITLE) else ("", text)
