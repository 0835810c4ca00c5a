"""What the report says first."""

import math

import pandas as pd
import pytest

from elboflow.pages.answer import answers, verdicts_of

GROUP = {
    "images": 53,
    "dataset": "tiny",
    "rows": [
        {"name": "noise floor", "baseline": True},
        {"name": "good", "baseline": False},
        {"name": "bad", "baseline": False},
    ],
}
QUANTITIES = {
    "log_likelihood": -20.0,
    "log_likelihood_lower": -20.1,
    "log_likelihood_upper": -19.9,
    "rate": 5.0,
    "noise_floor": -12.5,
}
PAIR = {
    "run": "good",
    "other": "bad",
    "quantity": "log_likelihood",
    "data_error": 0.1,
    "simultaneous_lower": 1.0,
    "simultaneous_upper": 2.0,
    "seed_error": 0.2,
    "simultaneous_lower_with_seeds": 0.5,
    "simultaneous_upper_with_seeds": 2.5,
}
PASSED = [("good", 1, "not_collapsed", "ok"), ("bad", 1, "not_collapsed", "ok")]


def summary(*without):
    rows = [
        {"run": run, "quantity": name, "mean": value, "data_error": 0.123}
        for run in ("good", "bad")
        for name, value in QUANTITIES.items()
        if name not in without
    ]
    return pd.DataFrame(rows)


def checks(rows):
    return pd.DataFrame(rows, columns=["run", "seed", "check", "status"])


def said(group=GROUP, without=(), pair=None, rows=PASSED):
    pairs = pd.DataFrame([{**PAIR, **(pair or {})}])
    (found,) = answers([group], summary(*without), pairs, checks(rows))
    return " ".join(found["sentences"]).replace("\N{MINUS SIGN}", "-")


def test_the_best_run_its_interval_and_the_floor():
    text = said()
    assert text.startswith(
        "good explains the 53 test images of tiny best: log p(x) = -20.00 ± 0.12 nats per image, "
        "of these images within -20.10 to -19.90 (95 %), 7.5 below the noise floor"
    )
    assert text.endswith(
        "ahead of bad's by 1.00 to 2.00 nats (95 %), and with any seeds by 0.50 to 2.50."
    )


@pytest.mark.parametrize(
    ("pair", "end"),
    [
        ({"seed_error": math.nan}, "whether those of other seeds are, one seed does not tell."),
        ({"simultaneous_lower_with_seeds": -1.0}, "so few do not tell (-1.00 to 2.50)."),
        (
            {"simultaneous_lower": -0.5},
            "bad cannot be told from it: the difference is -0.50 to 2.00 nats (95 %).",
        ),
    ],
)
def test_no_more_is_claimed_than_the_intervals_say(pair, end):
    assert said(pair=pair).endswith(end)


@pytest.mark.parametrize("unsure", [True, False])
def test_a_run_of_which_only_a_lower_bound_is_known_may_be_as_good(unsure):
    """By its estimate it is the third."""
    third = {**PAIR, "other": "vague", "simultaneous_lower": -1.0 if unsure else 1.5}
    pairs = pd.DataFrame([{**PAIR, "other": "bad"}, third])
    rows = [*GROUP["rows"], {"name": "vague", "baseline": False}]
    (found,) = answers([{**GROUP, "rows": rows}], summary(), pairs, checks(PASSED))
    first, *_, last = found["sentences"]
    assert ("best, by the estimates: " in first) == unsure
    assert ("vague cannot be told from it" in last) == unsure
    assert any("ahead of bad's" in sentence for sentence in found["sentences"])


def test_of_many_that_may_be_as_good_the_first_are_named():
    others = [f"run{number}" for number in range(9)]
    pairs = [{**PAIR, "other": other, "simultaneous_lower": -1.0} for other in others]
    rows = [{"name": name, "baseline": False} for name in ("good", *others)]
    (found,) = answers([{**GROUP, "rows": rows}], summary(), pd.DataFrame(pairs), checks(PASSED))
    (last,) = found["sentences"][1:]
    assert last == "run0, run1, run2 and 6 others cannot be told from it (95 %)."


def test_one_run_is_not_called_the_best():
    alone = {**GROUP, "rows": GROUP["rows"][:2]}
    text = said(group=alone)
    assert text.startswith("good gives the 53 test images of tiny log p(x) = -20.00")
    assert "best" not in text and "bad" not in text


def test_without_latents_log_p_is_exact_and_without_a_floor_none_is_told():
    text = said(without=("rate", "noise_floor"))
    assert "nats per image, exactly. These" in text


def test_verdicts_say_what_was_found_and_in_how_many_trainings():
    rows = [
        ("a", 1, "not_collapsed", "ok"),
        ("b", 1, "not_collapsed", "warning"),
        ("b", 2, "not_collapsed", "ok"),
        ("c", 1, "not_collapsed", "warning"),
        ("c", 1, "better_than_mean_image", "warning"),
    ]
    assert verdicts_of(["a", "b", "c"], checks(rows)) == [
        ("trusted", ["a"]),
        ("collapsed, or nearly so", ["b (1 of 2 trainings)", "c"]),
        ("not clearly better than the mean training image", ["c"]),
    ]
