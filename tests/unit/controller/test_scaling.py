"""The section `scaling`, its table and its part of the machine report."""

import json
from pathlib import Path
from typing import Any

import pytest

from elboflow.figures.scaling import plot_scaling
from elboflow.figures.style import save_figure
from elboflow.pages.figure import figure
from elboflow.pages.html import render
from elboflow.pages.machine import scaling_context
from elboflow.reading.csv_tables import read_table, write_table
from elboflow.reading.errors import InputError
from elboflow.reading.scaling import SCALING, fit_scaling, read_records
from elboflow.specification.check import ConfigError, check
from elboflow.specification.check_scaling import images_per_rank, layout

PAGES = Path(__file__).parents[3] / "workflow" / "report"


def record(ranks: int, oversubscribed: bool = False) -> dict[str, Any]:
    """Steps of 10 ms of computing, and 1 ms each of waiting and adding with others."""
    several = ranks > 1
    seconds = {"step": 0.010 + 0.002 * several, "computing": 0.010}
    seconds |= {"waiting": 0.001 * several, "adding": 0.001 * several, "latency": 1e-4 * several}
    kinds = {"weak": 100 * ranks, "strong": 100}
    return {
        **{"run": "alpha", "ranks": ranks, "threads_per_rank": 1, "device": "cpu"},
        **{"adds_with": "MPI", "hosts": ["node<7>"], "oversubscribed": oversubscribed},
        "kinds": {
            kind: {"batch_size": size, "bytes": 1000, "seconds": seconds}
            for kind, size in kinds.items()
        },
    }


def rows_of(*records: dict[str, Any]) -> dict[tuple[str, int], Any]:
    table, _ = fit_scaling(records)
    return {(row.kind, row.ranks): row for row in table.itertuples()}


def test_speed_and_efficiency_of_what_was_measured() -> None:
    rows = rows_of(record(1), record(2))
    assert rows["weak", 1].images_per_second == pytest.approx(10_000)
    assert rows["weak", 2].efficiency == pytest.approx(10 / 12)
    assert rows["strong", 2].efficiency == pytest.approx(10 / 12 / 2)
    assert (rows["weak", 2].batch_size, rows["strong", 2].batch_size) == (200, 100)


def test_more_ranks_than_were_measured_are_the_models() -> None:
    rows = rows_of(record(1), record(2), record(4), record(16))
    assert rows["weak", 16].source == "measured"
    assert {ranks for kind, ranks in rows if rows[kind, ranks].source == "model"} == {128, 1024}
    assert ("strong", 128) not in rows, "a batch of 100 has no image for each"
    assert rows["weak", 1024].batch_size == 102_400


def test_what_is_oversubscribed_is_marked_and_counts_for_no_model() -> None:
    table, model = fit_scaling([record(1), record(2), record(4, oversubscribed=True)])
    assert set(table[table["ranks"] == 4]["source"]) == {"oversubscribed"}
    assert "share cores or GPUs" in model["why_not"]
    assert "model" not in set(table["source"])


@pytest.fixture
def page(tmp_path: Path):
    """The section of the machine report on some records."""

    def make(*records: dict[str, Any]) -> str:
        table, model = fit_scaling(records)
        write_table(table, tmp_path / "scaling.csv")
        (tmp_path / "model.json").write_text(json.dumps(model))
        save_figure(plot_scaling(read_table(tmp_path / "scaling.csv", SCALING)), tmp_path / "a.svg")
        drawn = figure(tmp_path / "a.svg", PAGES / "scaling.rst")
        tables = [tmp_path / "scaling.csv", tmp_path / "model.json"]
        scaling = scaling_context(tables)
        empty = {"ranks": [], "allreduce": [], "stages": {}, "costs": {}, "build": {}}
        empty |= {"packages": [], "used": []}
        told = {"written": "now", "commit": None, "snakemake_version": "9"}
        shown = {"scaling": scaling, "figures": {"scaling": drawn, "speed": drawn}}
        return render(PAGES / "machine.html.jinja", **told, **empty, **shown)

    return make


def test_the_page_says_that_an_extrapolation_is_one(page) -> None:
    html = page(record(1), record(2), record(4))
    assert "extrapolated by the model, not measured" in html
    assert "is an extrapolation: it takes for granted" in html
    assert "<svg " in html and ">images/s</text>" in html


def test_the_page_says_why_there_is_no_model(page) -> None:
    html = page(record(1), record(2), record(4, oversubscribed=True))
    assert "No model of a step" in html
    assert "only 2 ranks were measured" in html
    assert "oversubscribed: ranks share cores or GPUs" in html
    assert "not measured" not in html


def test_a_damaged_record_is_one_line(tmp_path: Path) -> None:
    values = record(2)
    values["kinds"]["weak"]["seconds"]["waiting"] = "long"
    (tmp_path / "ranks2.json").write_text(json.dumps(values))
    with pytest.raises(InputError, match="'waiting' cannot be"):
        read_records([tmp_path / "ranks2.json"])


CONFIG: dict[str, Any] = {
    "datasets": {"digits": {"source": "digits", "validation_images": 200, "test_images": 397}},
    "runs": {"alpha": {"dataset": "digits", "batch_size": 100, "tasks_per_node": 4}},
}


@pytest.mark.parametrize(
    ("section", "words"),
    [
        ({"run": "beta", "ranks": [1, 2]}, r"scaling\.run: no run 'beta', known are alpha"),
        ({"run": "alpha", "ranks": [2, 1]}, r"scaling\.ranks: \[2, 1\] do not rise"),
        ({"run": "alpha", "ranks": [1, 6]}, "6 ranks fill no whole nodes of 4"),
        ({"run": "alpha", "ranks": [1, 104]}, "104 ranks are more than the 100 images of a batch"),
        (
            {"run": "alpha", "ranks": [1, 16]},
            "16 ranks with 100 images each are more than the 1200",
        ),
        ({"run": "alpha", "ranks": [1]}, r"scaling\.ranks: \[1\] is too short"),
        ({"run": "alpha", "ranks": [1, 2], "step": 3}, "unknown key 'step', did you mean steps"),
        ({"run": "alpha"}, "'ranks' is a required property"),
    ],
)
def test_a_mistake_in_the_section_is_one_line(section: dict[str, Any], words: str) -> None:
    with pytest.raises(ConfigError, match=words):
        check({**CONFIG, "scaling": section})


def test_ranks_fill_whole_nodes() -> None:
    assert layout(2, 8) == {"nodes": 1, "tasks_per_node": 2}
    assert layout(8, 8) == {"nodes": 1, "tasks_per_node": 8}
    assert layout(32, 8) == {"nodes": 4, "tasks_per_node": 8}
    assert images_per_rank({"batch_size": 100}, [2, 4]) == 50


def test_the_section_has_defaults_and_may_be_left_out() -> None:
    found = check({**CONFIG, "scaling": {"run": "alpha", "ranks": [1, 8]}}).scaling
    assert found == {"run": "alpha", "ranks": [1, 8], "steps": 100}
    assert check(CONFIG).scaling is None
