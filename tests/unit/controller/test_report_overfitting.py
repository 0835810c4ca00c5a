"""The report's table of training, validation and test images."""

import pandas as pd
import pytest

from elboflow.pages.overfitting import overfitting_rows


def summary(data_error: float = 0.2, **missing: bool) -> pd.DataFrame:
    values = {
        "log_likelihood": -23.0,
        "train_log_likelihood": -22.5,
        "validation_log_likelihood": -22.75,
        "gap": 0.6,
        "train_gap": 0.5,
        "validation_gap": 0.55,
        "train_minus_test_log_likelihood": 0.5,
        "test_minus_train_gap": 0.1,
    }
    rows = [
        {
            "run": "one",
            "quantity": name,
            "mean": value,
            "data_error": data_error,
            "monte_carlo_error": 0.01,
            "seed_sd": float("nan"),
            "seeds": 1,
        }
        for name, value in values.items()
        if not name.startswith(tuple(missing))
    ]
    return pd.DataFrame(rows)


def test_all_splits_stand_before_their_differences() -> None:
    (row,) = overfitting_rows(summary())
    means = [cell["mean"] for cell in row["cells"]]
    minus = "\N{MINUS SIGN}"
    assert means[:4] == [f"{minus}22.50", f"{minus}22.75", f"{minus}23.00", "0.50"]
    assert means[4:] == ["0.50", "0.55", "0.60", "0.10"]


@pytest.mark.parametrize(("error", "shown"), [(0.2, "0.11 to 0.89"), (0.3, "\N{MINUS SIGN}0.09")])
def test_intervals_have_the_data_error_alone(error: float, shown: str) -> None:
    """The estimates whose spread it is have their Monte Carlo errors in them."""
    (row,) = overfitting_rows(summary(error))
    assert row["cells"][3]["errors"][0][0].startswith(shown)


def test_a_validation_split_of_few_images_is_left_out() -> None:
    (row,) = overfitting_rows(summary(validation=True))
    assert [cell is None for cell in row["cells"]] == [False, True, False, False] * 2


def test_without_training_images_there_is_no_row() -> None:
    assert overfitting_rows(summary(train=True)) == []
