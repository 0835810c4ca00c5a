"""The chapter's numbers follow from each other, as a reader with a calculator would find."""

import math
import re
import xml.etree.ElementTree as ElementTree
from html.parser import HTMLParser
from pathlib import Path
from types import SimpleNamespace
from xml.etree.ElementTree import Element

import numpy as np
import pytest
from scipy.integrate import quad
from scipy.stats import norm

from chapter_tables import write_tables
from elboflow.chapter.by_hand import by_hand, gaussian_kl
from elboflow.chapter.jensen import joint
from elboflow.chapter.page import COLUMNS_OF
from elboflow.pages.chapter import chapter_page

PAGES = Path(__file__).parents[3] / "workflow" / "report"
STEMS = [path.stem.removeprefix("chapter_") for path in PAGES.glob("chapter_*.rst")]
MATH = re.compile(r"<math.*?</math>")
WIDE = "1em"  # \\quad, between two equations of a line
OPERATORS = {"\N{MINUS SIGN}": "-", "\N{MULTIPLICATION SIGN}": "*"}


class Tables(HTMLParser):
    """The tables of a page: rows of texts, by their names."""

    def __init__(self, html: str) -> None:
        super().__init__()
        self.found: dict[str, list[list[str]]] = {}
        self.rows: list[list[str]] | None = None
        self.feed(html)

    def handle_starttag(self, tag: str, attributes: list[tuple[str, str | None]]) -> None:
        if tag == "table":
            self.rows = self.found[str(dict(attributes)["data-name"])] = []
        elif self.rows is not None and tag == "tr":
            self.rows.append([])
        elif self.rows is not None and tag in ("th", "td"):
            self.rows[-1].append("")

    def handle_endtag(self, tag: str) -> None:
        if tag == "table":
            self.rows = None

    def handle_data(self, data: str) -> None:
        if self.rows and self.rows[-1]:
            self.rows[-1][-1] += data.strip()


@pytest.fixture(scope="module")
def page(tmp_path_factory: pytest.TempPathFactory) -> str:
    folder = tmp_path_factory.mktemp("chapter")
    write_tables(folder / "chapter")
    drawing = folder / "drawing.svg"
    drawing.write_text('<svg xmlns="http://www.w3.org/2000/svg" />')
    figures = [folder / f"chapter_{stem}.svg" for stem in STEMS]
    for path in figures:
        path.write_bytes(drawing.read_bytes())
    return chapter_page(
        SimpleNamespace(
            template=PAGES / "chapter.html.jinja",
            tables=[folder / f"chapter/{name}.csv" for name in COLUMNS_OF],
            figures=figures,
            captions=[PAGES / f"chapter_{stem}.rst" for stem in STEMS],
        )
    )


@pytest.fixture
def tables(page: str) -> dict[str, list[list[str]]]:
    return Tables(page).found


def value(text: str) -> float:
    return float(text.replace("\N{MINUS SIGN}", "-"))


def shown_joint(cases: list[list[str]], mail: list[str]) -> list[float]:
    """p(x, y) of a row of words for both cases, from the probabilities on the page."""
    found = []
    for _, prior, *shares in cases[1:]:
        factors = [
            value(share) if there == "in it" else 1 - value(share)
            for share, there in zip(shares, mail, strict=True)
        ]
        found.append(value(prior) * math.prod(factors))
    return found


@pytest.mark.promise(
    "chapter",
    "the numbers of the mail follow from the word probabilities on the page",
    "8 mails, 5 guesses, from the page alone: the digits that are printed",
)
def test_every_mail_follows_from_the_probabilities_on_the_page(
    tables: dict[str, list[list[str]]],
) -> None:
    rows = tables["mails"][1:-1]
    assert len(rows) == 8
    for row in rows:
        spam, no_spam = shown_joint(tables["cases"], row[:3])
        expected = [spam, no_spam, spam + no_spam, spam / (spam + no_spam)]
        assert [value(cell) for cell in row[3:]] == pytest.approx(expected, abs=5.1e-5)
    sums = [sum(value(row[place]) for row in rows) for place in (3, 4, 5)]
    assert [value(cell) for cell in tables["mails"][-1][1:4]] == pytest.approx(sums)


def test_every_guess_follows_from_q_and_the_mail(tables: dict[str, list[list[str]]]) -> None:
    both = shown_joint(tables["cases"], ["in it", "not", "in it"])
    priors = [value(row[1]) for row in tables["cases"][1:]]
    log_p = math.log(sum(both))
    for _, shown, *cells in tables["jensen"][1:]:
        q = [value(shown), 1 - value(shown)]
        weights = [p / share for p, share in zip(both, q, strict=True)]
        bound = sum(share * math.log(weight) for share, weight in zip(q, weights, strict=True))
        expected = [*weights, bound, log_p, log_p - bound]
        assert [value(cell) for cell in cells] == pytest.approx(expected, abs=1.2e-4)
    for _, shown, *cells in tables["parts"][1:]:
        parts = [
            (share, p / prior, share / prior)
            for share, p, prior in zip([value(shown), 1 - value(shown)], both, priors, strict=True)
            if share
        ]
        reconstruction = sum(share * math.log(likelihood) for share, likelihood, _ in parts)
        rate = sum(share * math.log(ratio) for share, _, ratio in parts)
        bound = reconstruction - rate
        expected = [reconstruction, rate, bound, log_p - bound]
        assert [value(cell) for cell in cells] == pytest.approx(expected, abs=1.2e-4)


def test_the_best_share_of_spam_is_marked(page: str, tables: dict[str, list[list[str]]]) -> None:
    for share, likelihood, log in tables["shares"][1:]:
        expected = 4 * math.log(value(share)) + 6 * math.log(1 - value(share))
        assert value(log) == pytest.approx(expected, abs=5.1e-5)
        assert value(likelihood) == pytest.approx(math.exp(expected), abs=5.1e-8)
    assert re.search('class="marked"><th scope="row">0.4</th>', page)


def tokens(element: Element) -> list[str]:
    """MathML as pieces of a Python expression; names as they are."""
    kind, children = element.tag.rpartition("}")[2], list(element)
    if kind == "mfrac":
        return [f"(({expression(children[0])})/({expression(children[1])}))"]
    if kind == "msup":
        base, power = children
        if base.text == ")":  # which closes what is raised
            return [")", f"**({expression(power)})"]
        return [f"({expression(base)})**({expression(power)})"]
    if kind == "mspace":
        return [";"] if element.get("width") == WIDE else []
    if kind in ("math", "mrow"):
        return [token for child in children for token in tokens(child)]
    if kind in ("mn", "mi", "mo"):
        text = (element.text or "").strip()
        return [OPERATORS.get(text, text)]
    return ["?"]  # nothing that has a value


def expression(element: Element) -> str:
    return joined(tokens(element))


def joined(pieces: list[str]) -> str:
    """Python's way to write it: log x as log(x), and 0.9 log x with a sign between."""
    text = ""
    for piece in pieces:
        if piece == "log":
            text += "*log" if text and text[-1] not in "+-*(=;" else "log"
        elif text.endswith("log") and not piece.startswith("("):
            text += f"({piece})"
        else:
            text += piece
    return re.sub(r"(?<=[\d)])\(", "*(", text)


def evaluated(text: str) -> float | None:
    """The value of an expression of numbers, None where it has names."""
    try:
        return float(eval(text, {"__builtins__": {}}, {"log": math.log}))
    except (SyntaxError, NameError, TypeError):
        return None


def equations(page: str) -> list[list[str]]:
    """The sides of each equation in the page's formulas that consist of numbers."""
    found = []
    for paragraph in re.findall(r'<p class="formula"[^>]*>(.*?)</p>', page, re.DOTALL):
        pieces = [
            piece
            for formula in MATH.findall(paragraph)
            for piece in tokens(ElementTree.fromstring(formula))
        ]
        for equation in joined(pieces).split(";"):
            sides = equation.rstrip(".,:").split("=")
            found.append([side for side in sides if evaluated(side) is not None])
    return [sides for sides in found if len(sides) > 1]


@pytest.mark.promise(
    "chapter",
    "both sides of each equation of numbers are equal",
    "every formula of the page, evaluated: the digits that are printed",
)
def test_every_equation_of_numbers_holds(page: str) -> None:
    found = equations(page)
    assert len(found) > 20
    for sides in found:
        decimals = len(sides[-1].partition(".")[2])
        for side in sides:
            near = pytest.approx(evaluated(sides[-1]), abs=1.3 * 10.0**-decimals)
            assert evaluated(side) == near, sides


def test_the_kl_of_two_gaussians_is_an_integral() -> None:
    table = by_hand()["gaussians"]
    for _, row in table.iterrows():
        q, p = norm(row["q_mean"], row["q_sd"]), norm(row["p_mean"], row["p_sd"])
        expected, _ = quad(lambda z: q.pdf(z) * (q.logpdf(z) - p.logpdf(z)), -8, 8)  # noqa: B023
        assert row["kl_nats"] == pytest.approx(expected, abs=1e-7)
    assert gaussian_kl(0.3, 0.7, 0.3, 0.7) == 0


def test_gradients_of_single_draws_are_right_on_average() -> None:
    table = by_hand()["estimators"].set_index(["example", "estimator"])

    def elbo(log_odds: float) -> float:
        spam = 1 / (1 + math.exp(-log_odds))
        q = np.array([spam, 1 - spam])
        return float(q @ np.log(joint() / q))

    slope = (elbo(1e-5) - elbo(-1e-5)) / 2e-5
    assert table.loc["mail", "mean"].to_numpy() == pytest.approx(slope, abs=1e-8)
    z = 1 + 0.5 * np.random.default_rng(0).normal(size=400_000)
    for name, draws in (("pathwise", 2 * z), ("score_function", z**2 * (z - 1) / 0.25)):
        row = table.loc[("square", name)]
        assert row["mean"] == pytest.approx(2, abs=1e-12)
        assert row["sd"] == pytest.approx(draws.std(), rel=0.01)
