"""The chapter's figures and its section of the report, from tables that are made up."""

import subprocess
import xml.etree.ElementTree as ElementTree
from collections.abc import Callable
from pathlib import Path
from typing import Any

import numpy as np
import pandas as pd
import pytest
from scipy.special import logsumexp

from elboflow.chapter import discrete as chapter_discrete
from elboflow.chapter import jensen as chapter_jensen
from elboflow.chapter import posteriors as chapter_posteriors
from elboflow.chapter.discrete import states_of
from elboflow.chapter.jensen import jensen_table, posterior
from elboflow.chapter.mixture import FAMILIES, gaussian
from elboflow.chapter.page import COLUMNS_OF, chapter_context, rounded_up
from elboflow.chapter.plot_posteriors import contour_levels, mixture_density
from elboflow.chapter.posteriors import components
from elboflow.chapter.surface import surface
from elboflow.chapter.tables import DECIMALS
from elboflow.reading.csv_tables import write_table
from elboflow.vae.measure.quadrature import log_prior, nodes

REPOSITORY = Path(__file__).parents[3]
SCRIPTS, PAGES = REPOSITORY / "workflow" / "scripts", REPOSITORY / "workflow" / "report"
TITLES = {path.stem: path.read_text().splitlines()[0] for path in PAGES.glob("chapter_*.rst")}
STEMS = [name.removeprefix("chapter_") for name in TITLES]
Jobs = Callable[[Path], list[dict[str, Any]]]
Runner = Callable[..., subprocess.CompletedProcess[str]]


def with_interval(name: str, value: float, low: float, high: float) -> dict[str, float]:
    return {name: value, f"{name}_low": low, f"{name}_high": high}


def write_tables(folder: Path) -> None:
    """results/chapter, small."""
    folder.mkdir(parents=True)
    write_classifiers(folder)
    every = np.array([0.0, 0.5, posterior()[0], 0.9, 1.0])
    write_table(jensen_table(every), folder / "jensen.csv", 15)
    write_plane(folder)
    write_switches(folder)


def classifier_rows() -> list[dict[str, Any]]:
    """Two classifiers at two thresholds each."""
    both = {"data": "digits: 8 or another", "test": 40, "positives": 4}
    rates = {
        **with_interval("precision", 0.75, 0.5, 0.9),
        **with_interval("recall", 1.0, 0.6, 1.0),
    }
    counts = {"true_positives": 3, "false_positives": 1, "constant": 2}
    ends = {
        **with_interval("average_precision", 0.9, 0.4, 0.98),
        **{"cross_entropy_low_nats": 0.02, "cross_entropy_high_nats": 0.11},
    }
    return [
        {
            **both,
            "model": model,
            "threshold": threshold,
            **rates,
            **counts,
            **ends,
            "cross_entropy_nats": 0.05,
            "log_p_nats": log_p,
            "log_p_error_nats": log_p and 1.2,
        }
        for model, log_p in (("discriminative", None), ("generative", -127.5))
        for threshold in (0.5, 0.9)
    ]


def write_classifiers(folder: Path) -> None:
    rows = classifier_rows()
    write_table(pd.DataFrame(rows), folder / "classifiers.csv", DECIMALS)
    bins = [
        {
            **{"data": row["data"], "model": row["model"], "from": 0.9, "to": 1.0},
            **{"cases": 4, "positives": 3, "mean_p": mean},
            **with_interval("share", 0.75, 0.3, 0.95),
        }
        for row, mean in zip(rows[::2], (0.93, 0.999), strict=True)
    ]
    write_table(pd.DataFrame(bins), folder / "reliability.csv", DECIMALS)
    curve = {"threshold": [0.1, 0.6, 1.0], "precision": [0.1, 0.75, 1.0], "recall": [1, 0.5, 0.0]}
    curves = [pd.DataFrame(curve).assign(data=row["data"], model=row["model"]) for row in rows[::2]]
    write_table(pd.concat(curves), folder / "curves.csv", DECIMALS)


def write_plane(folder: Path) -> None:
    """What belongs to a latent plane: two images, and a q of every family for each."""
    axis = nodes(0.1)
    likelihood = np.stack([log_prior(axis + shift) - 20 for shift in (0.5, -0.3)])
    images = {"image": np.array([7, 2]), "binary": np.eye(64)[:2]}
    np.savez(folder / "grid.npz", axis=axis, log_likelihood=likelihood, **images)
    evidence = {
        "image": [7, 2],
        "log_p_nats": [-24.0, -22.0],
        "coarse_log_p_nats": [-24.0, -22.001],
        "encoder_elbo_nats": [-24.5, -22.5],
        "non_gaussianity_nats": [0.1, 0.2],
    }
    write_table(pd.DataFrame(evidence), folder / "evidence.csv", DECIMALS)
    measured, parts = [], []
    for image in (7, 2):
        for place, family in enumerate(FAMILIES):
            gap = 0.4 - 0.1 * place
            measured.append(
                {
                    "image": image,
                    "family": family.name,
                    "parameters": family.parameters,
                    "rate_nats": 2.5 - 0.1 * place,
                    "distortion_nats": 20.0,
                    "elbo_nats": -22 - gap,
                    "log_p_nats": -22.0,
                    "gap_nats": gap,
                    "kl_nats": gap,
                }
            )
            q = gaussian(np.array([-0.2, 0.1 * place]), 0.5 * np.eye(2))
            parts.append(components(q).assign(image=image, family=family.name))
    write_table(pd.DataFrame(measured), folder / "posteriors.csv", DECIMALS)
    write_table(pd.concat(parts), folder / "components.csv", DECIMALS)
    write_table(
        surface(likelihood[0], axis, (-0.2, 0.1)).assign(image=7),
        folder / "elbo_surface.csv",
        DECIMALS,
    )


def write_switches(folder: Path) -> None:
    joint = np.log([0.1, 0.05, 0.02, 0.3])
    states = np.array([[0, 0], [0, 1], [1, 0], [1, 1]])
    table = {
        "image": [0, 1],
        "log_p_nats": [-24.0, -23.0],
        "elbo_nats": [-24.25, -23.5],
        "gap_nats": [0.25, 0.5],
        "kl_nats": [0.25, 0.5],
    }
    write_table(pd.DataFrame(table), folder / "discrete.csv", 12)
    write_table(states_of(1, joint, np.log(np.full(4, 0.25)), states), folder / "states.csv", 12)
    assert logsumexp(joint) < 0
    gradients = {
        "estimator": ["exact", "gumbel_softmax"],
        "norm_nats": [4.4, 4.4],
        "bias_nats": [0.0, 0.571],
        "bias_error_nats": [0.0, 0.014],
        "sd_nats": [0.0, 3.18],
        "temperature": [None, 0.5],
    }
    write_table(pd.DataFrame(gradients), folder / "gradients.csv", DECIMALS)


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


def test_the_report_has_the_chapter_with_its_figures_and_numbers(
    finished: Path, script_jobs: Jobs, scripts_runner: Runner
) -> None:
    chapter, figures = finished / "results" / "chapter", finished / "results" / "figures"
    write_tables(chapter)
    work = script_jobs(finished)
    (report,) = [job for job in work if job["script"].endswith("/report.py")]
    report["input"] |= {
        "chapter_tables": [str(chapter / f"{name}.csv") for name in COLUMNS_OF],
        "chapter_figures": [str(figures / f"chapter_{stem}.svg") for stem in STEMS],
        "chapter_captions": [str(PAGES / f"chapter_{stem}.rst") for stem in STEMS],
    }
    done = scripts_runner([*figure_jobs(finished), *work], cwd=finished)
    assert done.returncode == 0, done.stderr
    html = (finished / "results" / "report.html").read_text()
    assert '<a href="#chapter">' in html
    assert html.count('id="chapter"') == 1
    for title in TITLES.values():
        assert f'role="img" aria-label="{title.removeprefix(".. title: ")}"' in html
    seen = " ".join(html.split())
    assert "log p(x) = \u22121.8656 and p(spam|x) = 0.5581" in seen
    # Means of -24 and -22: -23, give or take sqrt(2) / sqrt(2).
    assert "the mean of log p(x) is \u221223.00 (data error 1.00)" in seen
    assert "0.500 = 0.200 + 0.300 nats for image 2. The first part" in seen
    assert "here 88 and 40 % of the gap" in seen
    assert "eight numbers of norm 4.40" in seen
    assert "test image 7, log p(x) = \u221222.000" in seen


def test_numbers_of_the_page(tmp_path: Path) -> None:
    write_tables(tmp_path / "chapter")
    values = chapter_context([tmp_path / "chapter" / f"{name}.csv" for name in COLUMNS_OF])
    assert values["jensen"]["bad"] == "0.2814"
    assert values["evidence"]["gap"] == "0.500"
    assert values["evidence"]["largest"] == "0.50"
    assert values["evidence"]["differ"] == "0.001"
    # The best diagonal Gaussian is 0.3 nats below -22.
    assert [list(row.values()) for row in values["amortisation"]] == [
        [7, "2.500", "2.200", "0.300", "88"],
        [2, "0.500", "0.200", "0.300", "40"],
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
    text = (PAGES / "chapter.html.jinja").read_text()
    assert "must agree to 10<sup>\u22126</sup>" in text


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
