"""What the report says of its numbers is what tests hold, and it is said of every number."""

from pathlib import Path

import pytest

from elboflow.pages import bounds as report_bounds
from elboflow.pages import cells as report_cells
from elboflow.pages import gap_parts as report_gap_parts
from elboflow.pages import overfitting as report_overfitting
from elboflow.pages import rate as report_rate
from elboflow.pages import scores as report_scores
from elboflow.pages import tables as report_tables
from elboflow.pages import two_sample as report_two_sample
from elboflow.pages.promised_numbers import NAMES, UNPROMISED
from elboflow.pages.promises import promised
from elboflow.reading.columns import BASELINES
from elboflow.reading.errors import InputError
from promise_table import TABLE, as_csv, promises

PROMISED = {quantity for quantity, *_ in promises()}
SHOWN = {
    *(quantity for quantity, *_ in report_tables.HEADLINE + report_tables.PER_SEED),
    *report_cells.ERRORS,
    *report_rate.RATE_QUANTITIES,
    *report_gap_parts.GAPS,
    *(name for names in report_overfitting.DIFFERENCES.values() for name in names),
    *(f"{kind}_{half}" for kind in report_two_sample.KINDS for half in report_two_sample.HALVES),
    *(f"{kind}_{report_two_sample.BOUND}" for kind in report_two_sample.KINDS),
    report_two_sample.NEAREST,
    *BASELINES,
    *(quantity for quantity, *_ in report_bounds.TEST + report_bounds.SIMULATED),
    *(quantity for quantity, *_ in report_scores.COLUMNS),
    *("score", "auroc"),
    *("exact_log_likelihood", "difference", "published_difference", "training_curves", "checks"),
    *("chapter", "classifiers", "gradients", "report"),
}


def test_the_table_is_that_of_the_tests() -> None:
    stale = "run `make promises`: workflow/report/promises.csv is not what the tests promise"
    assert TABLE.read_text(encoding="utf-8") == as_csv(promises()), stale


def test_every_number_of_the_report_has_a_promise_or_says_that_it_has_none() -> None:
    assert SHOWN - PROMISED - set(UNPROMISED) == set()
    assert PROMISED & set(UNPROMISED) == set()


def test_promises_are_of_numbers_that_have_a_name() -> None:
    """A quantity that is misspelt in a marker would promise nothing of anything."""
    assert (PROMISED | set(UNPROMISED)) - set(NAMES) == set(), "name it in promised_numbers.py"


def test_the_page_shows_every_promise_in_the_order_of_the_report() -> None:
    page = promised(TABLE)
    shown = [
        (promise["promised"], row["tried"], row["test"])
        for group in page["groups"]
        for promise in group["promises"]
        for row in promise["tests"]
    ]
    assert sorted(shown) == sorted(row[1:] for row in promises())
    assert [group["name"] for group in page["groups"]][:2] == ["log p(x)", "ELBO"]
    assert [number["why"] for number in page["nothing"]] == list(UNPROMISED.values())


def write(root: Path, marker: str) -> Path:
    path = root / "tests" / "process" / "test_it.py"
    path.parent.mkdir(parents=True)
    path.write_text(
        f"import pytest\n\n{marker}\ndef test_it():\n    pass\n\ndef test_other(): pass\n"
    )
    return root


def test_a_marker_is_a_row_for_each_of_its_quantities(tmp_path: Path) -> None:
    root = write(tmp_path, '@pytest.mark.gpu\n@pytest.mark.promise("a, b", "held", tried="so")')
    test = "tests/process/test_it.py::test_it"
    assert promises(root) == [("a", "held", "so", test), ("b", "held", "so", test)]


@pytest.mark.parametrize("words", ["", '"a", "b"', '"a", "b", HOW', '"a", "b", 3'])
def test_a_marker_without_three_texts_is_named(tmp_path: Path, words: str) -> None:
    with pytest.raises(SyntaxError, match=r"test_it\.py: test_it: a promise is three plain texts"):
        promises(write(tmp_path, f"@pytest.mark.promise({words})"))


def test_a_damaged_table_is_refused(tmp_path: Path) -> None:
    path = tmp_path / "promises.csv"
    path.write_text(as_csv(promises()).replace("quantity,", "number,"))
    with pytest.raises(InputError, match="no column 'quantity'"):
        promised(path)
