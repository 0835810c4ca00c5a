"""The frame of pages: formulas, headings, and figures as parts of a page."""

import re
from pathlib import Path

import matplotlib.pyplot as plt
import pytest

from elboflow.figures import style
from elboflow.figures.fonts import font_faces
from elboflow.pages.figure import figure
from elboflow.pages.html import contents, math, with_breaks, with_links
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


def luminance(colour: str) -> float:
    shares = [int(colour[place : place + 2], 16) / 255 for place in (1, 3, 5)]
    linear = [s / 12.92 if s <= 0.04045 else ((s + 0.055) / 1.055) ** 2.4 for s in shares]
    return 0.2126 * linear[0] + 0.7152 * linear[1] + 0.0722 * linear[2]


def contrast(colour: str, ground: str) -> float:
    low, high = sorted(map(luminance, (colour, ground)))
    return (high + 0.05) / (low + 0.05)


@pytest.mark.parametrize("kind", ["fill", "stroke"])
def test_colours_of_figures_stand_out_in_light_and_in_dark(kind: str) -> None:
    """By 3 to 1, as WCAG 2 asks of what is no text."""
    sheet = (PAGES / "page.css").read_text(encoding="utf-8")
    variables = dict(re.findall(r"--(\w+): (#\w+)", sheet))  # those of dark stand below
    of_dark = dict(re.findall(rf'\.drawn \[{kind}="(#\w+)"\] {{ {kind}: ([^;]+);', sheet))
    for colour in (style.INK, style.SOFT, style.GREY, *style.COLOURS):
        assert contrast(colour, "#ffffff") >= 3, colour
        if (colour, kind) != (style.SOFT, "stroke"):  # of words alone
            other = of_dark.get(colour, colour)
            other = variables.get(other.removeprefix("var(--").removesuffix(")"), other)
            assert contrast(other, variables["paper"]) >= 3, colour


def test_names_at_the_head_of_a_row_break_after_underscores() -> None:
    row = '<th scope="row" class="a_b">run_of_a <i id="x_y">seed_1</i></th><td>no_break</td>'
    assert with_breaks(row) == (
        '<th scope="row" class="a_b">run_<wbr>of_<wbr>a <i id="x_y">seed_<wbr>1</i></th>'
        "<td>no_break</td>"
    )


def test_a_large_figure_is_not_put_into_the_page(
    drawing: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    caption = PAGES / "samples.rst"
    assert figure(drawing, caption, runs=3)["svg"]
    monkeypatch.setattr("elboflow.pages.figure.LARGEST", 100)
    assert figure(drawing, caption, runs=3)["svg"] is None
