"""The frame of pages: formulas, headings, and figures as parts of a page."""

import re
from pathlib import Path

import matplotlib.pyplot as plt
import pytest

from elboflow.figures import style
from elboflow.figures.fonts import font_faces
from elboflow.pages.figure import figure
from elboflow.pages.html import contents, math, with_links
from elboflow.pages.inline import inline_svg
from elboflow.reading.errors import InputError

PAGES = Path(__file__).parents[3] / "workflow" / "report"


@pytest.fixture
def drawing(tmp_path: Path) -> Path:
    """A figure with letters, clipping, marks, pixels and a name that is markup."""
    style.apply()
    drawn, axes = plt.subplots(figsize=(3, 2))
    axes.plot([0, 1], "o-")
    axes.imshow([[0, 1]])
    axes.set_title("<b>\N{MINUS SIGN}1 & 2", weight="bold")
    style.save_figure(drawn, tmp_path / "drawing.svg")
    return tmp_path / "drawing.svg"


def test_a_formula_is_mathml() -> None:
    html = math(r"\log p(x) \ge -D", display="block")
    assert html.startswith("<math") and 'display="block"' in html
    assert "<mi>log</mi>" in html and "&#x02265;" in html


def test_papers_are_linked_once() -> None:
    link = '<a href="https://arxiv.org/abs/1509.00519">arXiv:1509.00519</a>'
    assert with_links("(Burda 2016, arXiv:1509.00519)") == f"(Burda 2016, {link})"
    assert with_links(link) == link


def test_contents_are_the_headings_of_the_second_level() -> None:
    html = '<h2 id="a"><a href="#a">One &amp; two</a></h2><h3 id="b"><a href="#b">No</a></h3>'
    assert contents(html) == [("a", "One &amp; two")]


def test_an_inline_figure_needs_no_style_and_meets_no_other_id(drawing: Path) -> None:
    html = inline_svg(drawing, "A <drawing>")
    assert html.startswith("<svg ") and 'aria-label="A &lt;drawing&gt;"' in html
    assert "style" not in html and "xmlns:" not in html and "metadata" not in html
    ids = re.findall(r'\bid="([^"]*)"', html)
    assert ids and all(name.startswith("drawing-") for name in ids)
    used = re.findall(r"url\(#([^)]*)\)|href=\"#([^\"]*)\"", html)
    assert {left or right for left, right in used} == set(ids)
    assert 'fill="#ffffff"' in html, "a colour is no reference"
    assert ">&lt;b&gt;\N{MINUS SIGN}1 &amp; 2</text>" in html
    assert 'href="data:image/png;base64,' in html


def test_fonts_are_embedded_by_weight_and_are_the_same_each_time(drawing: Path) -> None:
    svg = drawing.read_text(encoding="utf-8")
    weights = re.findall(r"@font-face\{[^}]*font-weight:(\d+)", svg)
    assert weights == ["400", "700"]
    assert font_faces(svg) == font_faces(inline_svg(drawing, "the same characters"))
    assert font_faces("<p>no figure</p>") == ""


def test_a_damaged_figure_is_one_line(drawing: Path) -> None:
    drawing.write_text(drawing.read_text()[:200])
    with pytest.raises(InputError, match=r"drawing\.svg: no SVG \(.*delete the file"):
        inline_svg(drawing, "cut")


def test_a_dark_page_has_colours_for_those_of_figures() -> None:
    sheet = (PAGES / "page.css").read_text(encoding="utf-8")
    for colour in (style.INK, style.FAINT, *style.COLOURS[:2]):
        for kind in ("fill", "stroke"):
            assert f'.drawn [{kind}="{colour}"]' in sheet
    assert f'.drawn [fill="{style.SOFT}"]' in sheet


def test_a_large_figure_is_not_put_into_the_page(
    drawing: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    caption = PAGES / "samples.rst"
    assert figure(drawing, caption, runs=3)["svg"]
    monkeypatch.setattr("elboflow.pages.figure.LARGEST", 100)
    assert figure(drawing, caption, runs=3)["svg"] is None
