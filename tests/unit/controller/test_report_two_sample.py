"""What the report says of made images against real ones."""

from itertools import product

import pandas as pd
import pytest

from elboflow.pages.two_sample import KINDS, PATTERNS, pattern, two_sample_rows

ERRORS = {"monte_carlo_error": float("nan"), "seed_sd": float("nan"), "seeds": 1}


def summary(kinds: dict[str, tuple[float, float, float]], nearest: float = 0.5) -> pd.DataFrame:
    """Of one run: for each kind both halves, and the bound."""
    rows = [
        row
        for kind, (real, made, bound) in kinds.items()
        for row in (
            (f"{kind}_1nn_real", real, 0.01),
            (f"{kind}_1nn_made", made, 0.01),
            (f"{kind}_1nn_null", 0.5, 0.02),
            (f"{kind}_jsd_bound", bound, 0.01),
        )
    ]
    rows += [
        ("sample_nearest_training", nearest, 0.01),
        ("sample_nearest_training_null", 0.5, 0.02),
    ]
    frame = pd.DataFrame(rows, columns=["quantity", "mean", "data_error"])
    return frame.assign(run="one", **ERRORS)


def statements(nearest: float = 0.5, **sample: tuple[float, float, float]) -> list[str]:
    kinds = dict.fromkeys(KINDS, (0.5, 0.5, 0.0)) | sample
    (run,) = two_sample_rows(summary(kinds, nearest))
    return [row["statement"] for row in run["kinds"]]


@pytest.mark.promise(
    "made_or_real",
    "0.5 over both halves is not called equal: each half counts, and so does the classifier",
    "each pattern of halves above, below and at what equal kinds have",
)
@pytest.mark.parametrize(("real", "made"), [*product("+=-", repeat=2)])
def test_each_pattern_of_both_halves_has_its_words(real: str, made: str) -> None:
    values = {"+": 0.546, "=": 0.544, "-": 0.454}  # 0.5 plus and minus 2.24 x 0.02
    assert pattern(values[real], values[made], 0.5, 0.02) == PATTERNS[real + made]


def test_extremes_with_a_mean_of_a_half_are_told_from_equal_kinds() -> None:
    flipped, nothing, _ = statements(sample=(1.0, 0.0, 0.6))
    assert flipped == (
        "too spread or too noisy: the nearest of either kind are real ones; "
        "the classifier finds a difference"
    )
    assert statements(sample=(0.0, 1.0, 0.6))[0].startswith("too alike or too smooth: ")
    assert nothing == "neighbours tell nothing apart; the classifier finds none"


def test_memorised_samples_are_said_to_be() -> None:
    assert statements(nearest=0.539)[0] == statements()[1]
    samples, *others = statements(nearest=0.541)
    assert samples.endswith("; memorised: they are nearer to training images than to test images")
    assert others == statements()[1:]


def test_where_all_images_are_equal_nothing_is_off() -> None:
    assert pattern(0.494949, 0.494949, 0.494949, 0.0) == PATTERNS["=="]


def test_runs_with_few_test_images_have_no_row() -> None:
    frame = summary(dict.fromkeys(KINDS, (0.5, 0.5, 0.0)))
    assert two_sample_rows(frame[~frame["quantity"].str.startswith("sample_nearest")]) == []
