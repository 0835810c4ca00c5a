"""Images that splits share are counted, told, and refused where a test on them would be none."""

import json
from collections import Counter
from pathlib import Path

import numpy as np
import pytest

from elboflow.images import fetch as fetch_data
from elboflow.images.duplicates import count_duplicates, row_keys, told

IMAGES = np.random.Philox(9).random_raw(60 * 2).view(np.uint8).reshape(60, 16)


def counted_one_by_one(splits: dict[str, np.ndarray]) -> dict[str, int]:
    rows = {name: [image.tobytes() for image in images] for name, images in splits.items()}
    counts = {
        f"{one}_in_{other}": sum(row in rows[other] for row in rows[one])
        for one, other in [("test", "train"), ("validation", "train"), ("test", "validation")]
    }
    for name, own in rows.items():
        counts[f"within_{name}"] = sum(Counter(own).values()) - len(Counter(own))
    return {name: count for name, count in counts.items() if count}


@pytest.mark.parametrize("seed", range(5))
@pytest.mark.parametrize("order", ["C", "F"])
def test_counts_are_those_of_comparing_all_pairs(seed, order):
    chosen = np.random.default_rng(seed).integers(0, 60, (3, 30))
    splits = {
        name: np.asarray(IMAGES[rows], order=order)
        for name, rows in zip(("train", "validation", "test"), chosen, strict=True)
    }
    found = count_duplicates(row_keys(splits))
    assert found == counted_one_by_one(splits)
    assert len(found) == 6


def test_images_that_differ_in_one_level_are_not_the_same():
    other = IMAGES.copy()
    other[:, -1] ^= 1
    splits = {"train": IMAGES[:40], "validation": IMAGES[40:], "test": other[:40]}
    assert count_duplicates(row_keys(splits)) == {}


def test_what_is_told():
    counts = {"test_in_train": 3, "validation_in_train": 1, "within_train": 7, "within_test": 2}
    sizes = {"train": 40, "validation": 5, "test": 6}
    shared, repeated = told(counts, sizes)
    assert shared == [
        "3 of 6 test images are training images as well",
        "1 of 5 validation images are training images as well",
    ]
    assert repeated == [
        "7 of 40 training images repeat another one of them",
        "2 of 6 test images repeat another one of them",
    ]


def prepare(folder: Path, train: np.ndarray, **parts: np.ndarray) -> dict:
    """The manifest of a file with these parts; what it lacks is drawn from training."""
    np.savez(folder / "mine.npz", train=train, **parts)
    counts = {name: "" if name in parts else 5 for name in ("validation", "test")}
    words = ["--dataset=mine", "--source=file", f"--path={folder / 'mine.npz'}"]
    words += [f"--{name}-images={count}" for name, count in counts.items()]
    words += ["--split-seed=0", "--binarisation-seed=0", f"--output-dir={folder / 'out'}"]
    fetch_data.main(words)
    return json.loads((folder / "out" / "manifest.json").read_text())


@pytest.mark.fault(
    "own data of which some test images are training images as well",
    outcome="counted, told, and a warning of the report",
)
def test_some_that_are_shared_are_counted_and_told(tmp_path, capsys):
    test = np.concatenate([IMAGES[50:], IMAGES[:3]])
    manifest = prepare(tmp_path, IMAGES[:50], test=test, validation=IMAGES[48:50] ^ 1)
    assert manifest["duplicates"] == {"test_in_train": 3}
    told_first, summary, _ = capsys.readouterr().out.split("\n")
    assert told_first == "mine: 3 of 13 test images are training images as well"
    assert summary.startswith("mine: 50 training, 2 validation, 13 test images")


def test_repeated_images_that_a_random_split_spreads(tmp_path, capsys):
    manifest = prepare(tmp_path, np.concatenate([IMAGES, IMAGES[:45]]))
    found = manifest["duplicates"]
    assert 0 < found["test_in_train"] < 5 and found["within_train"] > 0
    assert "training images repeat another one of them" in capsys.readouterr().out


def test_without_any_nothing_is_said(tmp_path, capsys):
    assert "duplicates" not in prepare(tmp_path, IMAGES)
    assert capsys.readouterr().out.count("\n") == 1


@pytest.mark.fault(
    "own images of few levels, as 0 to 16, which are taken for levels of 255",
    outcome="told as they are read, and in the report",
)
def test_dark_images_are_told(tmp_path, capsys):
    assert prepare(tmp_path, IMAGES % 128)["highest_level"] == 127
    assert "mine: no value is above 127 of 255: dark images, or" in capsys.readouterr().out
    assert "highest_level" not in prepare(tmp_path, IMAGES // 2 + 1)
    assert "highest_level" not in prepare(tmp_path, IMAGES % 2)


@pytest.mark.fault(
    "own data of which every test or validation image is in another split",
    outcome="refused in one line",
)
@pytest.mark.parametrize(
    ("parts", "message"),
    [
        (
            {"test": IMAGES[30:5:-1]},
            "25 test images is among the training or validation images as well",
        ),
        ({"validation": IMAGES[7:9]}, "2 validation images is among the training images as well"),
        (
            {"validation": IMAGES[50:], "test": IMAGES[52:56]},
            "4 test images is among the training or validation images as well",
        ),
    ],
)
def test_a_split_that_is_all_in_another_is_refused(tmp_path, parts, message):
    with pytest.raises(SystemExit) as failure:
        prepare(tmp_path, IMAGES[:50], **parts)
    line = str(failure.value)
    assert f"each of the {message}; give each part images of its own" in line and "\n" not in line
    assert not (tmp_path / "out").exists()
