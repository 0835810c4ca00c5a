"""Write the chapter "What the ELBO is": a page of its own, whose numbers depend on no run."""

from collections.abc import Mapping
from pathlib import Path
from typing import Any

from elboflow.chapter.page import chapter_context
from elboflow.pages.figure import figure
from elboflow.pages.html import render


def chapter_page(given: Any, origin: Mapping[str, Any] | None = None) -> str:
    """The page, from the input files of rule chapter_page, by their names there.

    Args:
        origin: what origin.made_now says.
    """
    drawn = [
        figure(path, caption) for path, caption in zip(given.figures, given.captions, strict=True)
    ]
    figures = {shown["name"]: shown for shown in drawn}
    values = chapter_context(given.tables)
    return render(Path(given.template), origin=origin, figures=figures, **values)
