"""What is wrong with a data set's keys is said before anything starts."""

from pathlib import Path
from typing import Any

import pytest
from check_config import ConfigError, check

SPAM = {"source": "spambase", "test_images": 600}
BINARISED = {"source": "binarized-mnist"}


def config(mine: dict[str, Any], **run: Any) -> dict[str, Any]:
    images = {"source": "mnist", "validation_images": 10_000}
    runs = {"one": {"dataset": "images", **run}}
    return {"datasets": {"images": images, "mine": mine}, "runs": runs}


@pytest.mark.parametrize(
    "dataset",
    [
        BINARISED,
        {**BINARISED, "validation_images": 10_000, "test_images": 10_000, "data_dir": "/x"},
        {"source": "omniglot", "validation_images": 1345},
        SPAM,
        {**SPAM, "validation_images": 100, "mirrors": ["http://host/"]},
    ],
)
def test_what_is_right_is_accepted(dataset):
    check(config(dataset))


@pytest.mark.parametrize(
    ("dataset", "message"),
    [
        ({"source": "mnist"}, "validation_images: mnist has no published validation split, give"),
        ({"source": "omniglot"}, "validation_images: omniglot has no published validation split"),
        ({"source": "digits", "test_images": 5}, "validation_images: digits has no published val"),
        ({"source": "spambase"}, "test_images: spambase has no published test split, give"),
        ({**SPAM, "test_images": 4601}, "mine: no training images are left of spambase's"),
        (
            {**SPAM, "test_images": 99},
            "mine: a classifier needs 100 rows at least for training and",
        ),
        ({**SPAM, "test_images": 4550}, "mine: a classifier needs 100 rows at least for training"),
        ({**SPAM, "path": "x"}, "mine.path: the source spambase takes none"),
        ({**BINARISED, "validation_images": 10_001}, "binarized-mnist has 10000 validation images"),
        ({**BINARISED, "test_images": 10_001}, "test_images: binarized-mnist has 10000 test"),
        ({"source": "omniglot", "validation_images": 24_345}, "no training images are left"),
        ({"source": "file", "path": "nowhere"}, "mine.path: there is no file or folder nowhere"),
        ({"source": "file", "path": "x", "data_dir": "y"}, "data_dir: the source file takes none"),
    ],
)
def test_a_mistake_is_one_line_that_says_where(dataset, message):
    with pytest.raises(ConfigError) as failure:
        check(config(dataset))
    line = str(failure.value)
    assert line.startswith("config: datasets.mine") and message in line and "\n" not in line


def test_the_path_may_be_a_folder(tmp_path: Path):
    check(config({"source": "file", "path": str(tmp_path)}))


def test_no_run_trains_on_a_table():
    with pytest.raises(ConfigError) as failure:
        check(config(SPAM, dataset="mine"))
    assert str(failure.value) == (
        "config: runs.one.dataset: spambase is a table without images; name a data set of images"
    )


def test_sizes_are_those_of_the_published_parts():
    check(config(BINARISED, dataset="mine", batch_size=50_000))
    with pytest.raises(ConfigError, match="batch_size: 50001 is more than the 50000 training"):
        check(config(BINARISED, dataset="mine", batch_size=50_001))
