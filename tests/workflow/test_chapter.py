"""The chapter alone: its tables and figures from nothing but the environment."""

import pandas as pd
import pytest

from checkout import TINY

FIGURES = ["classifiers", "discrete", "jensen", "posteriors", "surface"]
TARGETS = [f"results/figures/chapter_{name}.svg" for name in FIGURES]


@pytest.fixture
def with_chapter(fresh):
    fresh.configure({**TINY, "chapter": True})
    fresh.borrow_environment()
    return fresh


def test_the_chapter_alone_is_built_and_stays_built(with_chapter):
    with_chapter.run(*TARGETS, "results/chapter/evidence.csv")
    results = with_chapter.folder / "results"
    assert not (results / "runs").exists(), "the chapter does not depend on the runs"
    posteriors = pd.read_csv(results / "chapter/posteriors.csv")
    assert len(posteriors) == 12
    assert (posteriors["gap_nats"] - posteriors["kl_nats"]).abs().max() < 1e-6
    assert with_chapter.planned(*TARGETS) == {}


def test_the_report_asks_for_the_chapter_where_it_is_wanted(with_chapter):
    assert "chapter_vae" in with_chapter.planned()
    with_chapter.configure(TINY)
    assert not [rule for rule in with_chapter.planned() if rule.startswith("chapter")]


def test_the_chapter_needs_no_digits_in_the_configuration(fresh):
    assert fresh.planned("--configfile", "config/fashion.yaml")["chapter_vae"] == 1


def test_mails_are_classified_where_the_configuration_has_them(with_chapter):
    mails = {"source": "spambase", "test_images": 1000}
    with_chapter.configure({**TINY, "datasets": {**TINY["datasets"], "mails": mails}})
    assert with_chapter.planned("results/chapter/classifiers.csv")["fetch_table"] == 1
