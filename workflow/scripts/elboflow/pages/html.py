"""Fill a template and write the page, the same bytes on every machine."""

import base64
import hashlib
import re
from pathlib import Path
from typing import Any

from jinja2 import Environment, FileSystemLoader, StrictUndefined
from latex2mathml.converter import convert
from markupsafe import Markup

from elboflow.figures.fonts import font_faces
from elboflow.files.whole import write_bytes

SIGNED = re.compile("\N{MINUS SIGN}([\\d.]+)")  # a number: its minus is no operator
PAPER = re.compile(r"(?<![\w/>])arXiv:(\d{4}\.\d{4,5})")
ROW_HEAD = re.compile(r'(?<=<th scope="row")[^>]*>.*?(?=</th>)', re.DOTALL)
IN_TEXT = re.compile(r"_(?=[^<>]*(<|$))")
HEADING = re.compile(r'<h2 id="([^"]+)"><a href="[^"]*">(.*?)</a></h2>', re.DOTALL)


def render(template: Path, **values: Any) -> str:
    """Fill a template; every value is escaped, and a name that is not given is an error.

    Templates can call math, contents, font_faces, policy_hash, text_of, with_breaks and with_links.
    """
    environment = Environment(
        loader=FileSystemLoader(template.parent),
        autoescape=True,
        undefined=StrictUndefined,
        trim_blocks=True,
        lstrip_blocks=True,
        keep_trailing_newline=True,
    )
    environment.globals |= {
        "math": math,
        "contents": contents,
        "font_faces": lambda html: Markup(font_faces(html)),
        "policy_hash": policy_hash,
        "with_breaks": with_breaks,
        "with_links": with_links,
        "text_of": lambda name: Markup((template.parent / name).read_text(encoding="utf-8")),
    }
    return environment.get_template(template.name).render(**values)


def math(latex: str, display: str = "inline") -> Markup:
    """A formula in LaTeX as MathML, which browsers draw and screen readers read.

    Args:
        latex: of the template itself, and numbers with their typographic minus; it is not escaped.
        display: "inline", or "block" for a line of its own.
    """
    html = convert(SIGNED.sub(r"{-\1}", latex), display=display)
    # A line of its own may be wider than a phone, and then scrolls: by keys as well.
    return Markup(html.replace("<math ", '<math tabindex="0" ', 1) if display == "block" else html)


def contents(html: str) -> list[tuple[str, Markup]]:
    """Name and title of each heading of the second level, as the macro `heading` writes them."""
    return [(name, Markup(title)) for name, title in HEADING.findall(html)]


def with_links(html: str) -> Markup:
    """The same with a link at each arXiv:NUMBER that is not one yet."""
    return Markup(PAPER.sub(r'<a href="https://arxiv.org/abs/\1">arXiv:\1</a>', str(html)))


def with_breaks(html: str) -> Markup:
    """The same, where a name at the head of a row may be broken after each of its underscores."""
    return Markup(ROW_HEAD.sub(lambda head: IN_TEXT.sub("_<wbr>", head[0]), str(html)))


def policy_hash(text: str) -> str:
    """What a Content-Security-Policy calls a style or script by."""
    digest = hashlib.sha256(str(text).encode()).digest()
    return "sha256-" + base64.b64encode(digest).decode("ascii")


def write_page(path: str | Path, html: str) -> None:
    write_bytes(Path(path), html.encode())
