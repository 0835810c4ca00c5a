"""Experiments side by side: what one writes is no other's, and pages say whose they are."""

import hashlib
from pathlib import Path

import pytest
import yaml

from checkout import TINY, Checkout

OTHER = {**TINY, "runs": {"plain": {"latent_dim": 3}}}  # a run of the same name
PAGES = ["report.html", "machine.html"]


def content(folder: Path, but: str) -> dict[str, str]:
    """Digests of an experiment's files, without what is shared or another's."""
    shared = {but, "environment", "data", "state", "logs"}
    return {
        str(path.relative_to(folder)): hashlib.sha256(path.read_bytes()).hexdigest()
        for path in sorted(folder.rglob("*"))
        if path.is_file() and path.relative_to(folder).parts[0] not in shared
    }


@pytest.fixture
def both(finished: Checkout) -> Checkout:
    """A checkout with a second configuration, of which nothing was made."""
    (finished.folder / "other.yaml").write_text(yaml.safe_dump(OTHER))
    return finished


@pytest.mark.fault(
    "a second experiment in the same clone, with a run of the same name",
    outcome="a folder of its own; not a byte of the first is touched",
)
def test_a_second_experiment_touches_nothing_of_the_first(both):
    results = both.folder / "results"
    before = content(results, "other")
    both.run("--configfile", "other.yaml")
    assert content(results, "other") == before
    assert both.planned() == {}
    page = (results / "other" / "report.html").read_text()
    assert "<strong>other</strong>: <code>other.yaml</code>" in page
    assert "<strong>default</strong>" in (results / "report.html").read_text()
    (model, other) = (path / "runs/plain/seed1" for path in (results, results / "other"))
    assert (model / "metrics.csv").read_bytes() != (other / "metrics.csv").read_bytes()
    told = [path / "state/plain/seed1/metrics.csv" for path in (results, results / "other")]
    assert told[0].read_bytes() != told[1].read_bytes(), "while it runs as well"


def test_an_edit_marks_the_pages_until_they_are_made_again(both):
    both.configure({**TINY, "defaults": {**TINY["defaults"], "importance_samples": 40}})
    results = both.folder / "results"
    both.run("results/runs/plain/seed1/summary.csv")
    assert all("Out of date" in (results / page).read_text() for page in PAGES)
    both.run()
    assert not any("Out of date" in (results / page).read_text() for page in PAGES)
    assert both.planned() == {}


def test_words_of_the_command_line_stand_on_the_pages(both):
    both.run("--config", "nodes=1")
    for page in PAGES:
        assert "--config nodes=1</code>" in (both.folder / "results" / page).read_text()


@pytest.mark.fault(
    "two configurations that come to the same name", outcome="the second is refused in one line"
)
def test_the_second_of_one_name_is_refused(both):
    both.run("results/other/runs/plain/run.json", "--configfile", "other.yaml")
    (both.folder / "elsewhere").mkdir()
    (both.folder / "elsewhere/other.yaml").write_text(yaml.safe_dump(OTHER))
    result = both.snakemake("-n", "--configfile", "elsewhere/other.yaml")
    line = "config: results/other has the results of other.yaml; give elsewhere/other.yaml another"
    assert result.returncode and line in result.stdout and "Traceback" not in result.stdout
