"""Fill a template and write the page, the same bytes on every machine."""

from pathlib import Path
from typing import Any

from jinja2 import Environment, FileSystemLoader, StrictUndefined

from elboflow.files.whole import write_bytes


def render(template: Path, **values: Any) -> str:
    """Fill a template; every value is escaped, and a name that is not given is an error."""
    environment = Environment(
        loader=FileSystemLoader(template.parent),
        autoescape=True,
        undefined=StrictUndefined,
        trim_blocks=True,
        lstrip_blocks=True,
        keep_trailing_newline=True,
    )
    return environment.get_template(template.name).render(**values)


def write_page(path: str | Path, html: str) -> None:
    write_bytes(Path(path), html.encode())
