"""The chapter's figures and its page, from tables that are made up."""

import subprocess
import xml.etree.ElementTree as ElementTree
from collections.abc import Callable
from pathlib import Path
from typing import Any

import numpy as np
import pytest

from chapter_tables import write_tables
from elboflow.chapter import by_hand as chapter_by_hand
from elboflow.chapter import discrete as chapter_discrete
from elboflow.chapter import jensen as chapter_jensen
from elboflow.chapter import posteriors as chapter_posteriors
from elboflow.chapter.mixture import gaussian
from elboflow.chapter.page import COLUMNS_OF, chapter_context, rounded_up
from elboflow.chapter.plot_posteriors import contour_levels, mixture_density
from elboflow.chapter.posteriors import components
from elboflow.vae.measure.quadrature import log_prior, nodes

REPOSITORY = Path(__file__).parents[3]
SCRIPTS, PAGES = REPOSITORY / "workflow" / "scripts", REPOSITORY / "workflow" / "report"
TITLES = {path.stem: path.read_text().splitlines()[0] for path in PAGES.glob("chapter_*.rst")}
STEMS = [name.removeprefix("chapter_") for name in TITLES]
Jobs = Callable[[Path], list[dict[str, Any]]]
Runner = Callable[..., subprocess.CompletedProcess[str]]


def figure_jobs(root: Path) -> list[dict[str, Any]]:
    """The scripts that draw, as the rules call them."""
    chapter = root / "results" / "chapter"
    inputs = {path.stem: str(path) for path in chapter.iterdir()}
    inputs["surface"] = inputs["elbo_surface"]
    return [
        {
            "script": str(SCRIPTS / "plot.py"),
            "input": inputs,
            "output": {"figure": str(root / "results" / "figures" / f"chapter_{stem}.svg")},
            "params": {"module": f"elboflow.chapter.plot_{stem}"},
        }
        for stem in STEMS
    ]


def test_figures_are_the_same_bytes_in_another_process(
    tmp_path: Path, scripts_runner: Runner
) -> None:
    for place, name in enumerate(("one", "other")):
        write_tables(tmp_path / name / "results" / "chapter")
        work = figure_jobs(tmp_path / name)
        done = scripts_runner(work, cwd=tmp_path, PYTHONHASHSEED=str(place), MPLBACKEND="pdf")
        assert done.returncode == 0, done.stderr
    for stem in STEMS:
        paths = [
            tmp_path / f"{name}/results/figures/chapter_{stem}.svg" for name in ("one", "other")
        ]
        assert paths[0].read_bytes() == paths[1].read_bytes(), stem
        ElementTree.parse(paths[0])
        text = paths[0].read_text()
        assert "dc:date" not in text
        assert "<text" in text and "@font-face" in text, "letters, with their font"


def test_the_page_has_figures_and_numbers(tmp_path: Path, scripts_runner: Runner) -> None:
    results = tmp_path / "results"
    write_tables(results / "chapter")
    page = {
        "script": str(SCRIPTS / "chapter_page.py"),
        "input": {
            "template": str(PAGES / "chapter.html.jinja"),
            "tables": [str(results / f"chapter/{name}.csv") for name in COLUMNS_OF],
            "figures": [str(results / f"figures/chapter_{stem}.svg") for stem in STEMS],
            "captions": [str(PAGES / f"chapter_{stem}.rst") for stem in STEMS],
        },
        "output": {"page": str(results / "chapter.html")},
        "params": {"configuration": None},
    }
    done = scripts_runner([*figure_jobs(tmp_path), page], cwd=tmp_path)
    assert done.returncode == 0, done.stderr
    html = (results / "chapter.html").read_text()
    assert '<a href="report.html">' in html
    for title in TITLES.values():
        assert f'aria-label="{title.removeprefix(".. title: ")}"' in html.replace("&#39;", "'")
    for name in ("two-ways", "log-likelihood", "latent", "jensen", "kl", "elbo", "detail"):
        assert html.count(f'id="{name}"') == 1
        assert html.count(f'<a href="#{name}">') == 2, "in the heading and in the contents"
    seen = " ".join(html.split())
    assert "0.5581 for spam and 0.4419 for no spam" in seen
    # Means of -24 and -22: -23, give or take sqrt(2) / sqrt(2).
    assert "the mean of log p(x) is \u221223.00 (data error 1.00)" in seen
    assert "For image 2 the encoder misses 0.500 nats, of which 0.200, 40 %, are the" in seen
    assert "eight numbers of norm 4.40" in seen
    assert "test image 7, log p(x) = \u221222.000" in seen


@pytest.mark.parametrize("chapter", [True, False])
def test_the_report_links_to_the_chapter_where_there_is_one(
    finished: Path, script_jobs: Jobs, scripts_runner: Runner, chapter: bool
) -> None:
    work = script_jobs(finished)
    (report,) = [job for job in work if job["script"].endswith("/report.py")]
    report["params"]["chapter"] = chapter
    done = scripts_runner(work, cwd=finished)
    assert done.returncode == 0, done.stderr
    html = (finished / "results" / "report.html").read_text()
    assert ('href="chapter.html"' in html) is chapter
    assert ('href="#chapter"' in html) is chapter


def test_numbers_of_the_page(tmp_path: Path) -> None:
    write_tables(tmp_path / "chapter")
    values = chapter_context([tmp_path / "chapter" / f"{name}.csv" for name in COLUMNS_OF])
    assert values["mail"]["q"]["bad"]["gap"] == "0.2814"
    assert values["evidence"]["gap"] == "0.500"
    assert values["evidence"]["largest"] == "0.50"
    assert values["evidence"]["differ"] == "0.001"
    # The best diagonal Gaussian is 0.3 nats below -22.
    assert [list(row.values()) for row in values["amortisation"]] == [
        [7, "\u221222.000", "\u221222.300", "\u221224.500", "2.500", "2.200", "0.300", "88"],
        [2, "\u221222.000", "\u221222.300", "\u221222.500", "0.500", "0.200", "0.300", "40"],
    ]
    assert values["discrete"] == {
        "images": "2",
        "log_p": "\u221223.50",
        "elbo": "\u221223.88",
        "gap": "0.375",
        "largest": "0.500",
    }
    assert values["gradients"] == {
        "norm": "4.40",
        "rows": [
            {
                "estimator": "sum over all states",
                "temperature": "",
                "bias": "0.00",
                "error": "",
                "sd": "0.00",
            },
            {
                "estimator": "Gumbel-softmax",
                "temperature": "0.5",
                "bias": "0.57",
                "error": "0.014",
                "sd": "3.18",
            },
        ],
    }


def test_numbers_of_the_classifiers(tmp_path: Path) -> None:
    write_tables(tmp_path / "chapter")
    values = chapter_context([tmp_path / "chapter" / f"{name}.csv" for name in COLUMNS_OF])
    cells = values["classifiers"][0]["cells"]
    assert cells[0] == {"share": "0.750", "interval": "0.50 to 0.90"}
    assert (values["classifiers"][0]["test"], values["classifiers"][0]["positives"]) == (40, 4)
    assert [row["log_p"] for row in values["classifiers"]] == ["none", "\u2212127.5"]
    assert [row["log_p_error"] for row in values["classifiers"]] == ["", "1.2"]
    assert values["classifiers"][0]["average_precision_interval"] == "0.40 to 0.98"
    assert values["classifiers"][0]["cross_entropy_interval"] == "0.020 to 0.110"
    verdicts = [row["verdict"] for row in values["sure"]]
    assert verdicts == ["that may be right", "it is too sure"], "0.93 and 0.999 of 0.30 to 0.95"


@pytest.mark.promise(
    "chapter", "what is printed as the most is no less than any value", "0.00108 is printed 0.0011"
)
@pytest.mark.parametrize(
    ("value", "shown"),
    [(0.00108, "0.0011"), (0.001, "0.001"), (0.00100001, "0.0011"), (0.999, "1"), (0.0, "0")],
)
def test_a_bound_is_rounded_up(value: float, shown: str) -> None:
    assert rounded_up(value) == shown
    assert float(rounded_up(value)) >= value


def test_tolerances_in_the_text_are_those_of_the_code() -> None:
    for module, page in (
        (chapter_discrete, "chapter_discrete.rst"),
        (chapter_jensen, "chapter_jensen.rst"),
    ):
        assert f"by more than {module.TOLERANCE:g} nats" in (PAGES / page).read_text()
    assert chapter_posteriors.TOLERANCE == 1e-6
    assert "must agree to 10\u207b\u2076" in (PAGES / "chapter/latents.html.jinja").read_text()
    assert chapter_by_hand.TOLERANCE == 1e-10
    assert (
        "agree with both to 10<sup>\u221210</sup>"
        in (PAGES / "chapter/bound.html.jinja").read_text()
    )


def test_contours_hold_the_mass_that_they_say() -> None:
    """A standard normal in the plane has the mass 1 - exp(-r^2 / 2) within the radius r."""
    axis = nodes(0.05)
    density = np.exp(log_prior(axis))
    levels = contour_levels(density, axis)
    expected = [(1 - mass) / (2 * np.pi) for mass in (0.99, 0.9, 0.5)]
    assert levels == pytest.approx(expected, rel=0.01)


def test_the_density_of_a_table_of_components_is_that_of_q() -> None:
    axis = nodes(0.1)
    table = components(gaussian(np.zeros(2), np.eye(2)))
    assert mixture_density(table, axis) == pytest.approx(np.exp(log_prior(axis)))
