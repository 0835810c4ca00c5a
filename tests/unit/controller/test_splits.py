"""Splits share no image, binarisation is frozen, and neither changes between machines."""

import hashlib

import numpy as np
import pytest

from elboflow.images.binarise import binarise_split
from elboflow.images.errors import BadData
from elboflow.images.splits import split
from elboflow.images.streams import drawn_order, stream

IMAGES = np.arange(250, dtype=np.uint8).reshape(125, 2)  # every row is another image


def rows(images: np.ndarray) -> list[int]:
    return [int(value) // 2 for value in images[:, 0]]


def counts(validation: int | None, test: int | None) -> dict[str, int | None]:
    return {"validation": validation, "test": test}


def test_the_streams_are_philox_with_the_documented_key():
    """The first words are pinned: a stream that changes silently would change every data set."""
    label = int.from_bytes(b"b-test\0\0", "big")
    expected = philox_4x64_10((1, 0, 0, 0), (5, label))
    assert stream(5, "b-test").random_raw(4).tolist() == list(expected)


def philox_4x64_10(counter: tuple[int, ...], key: tuple[int, int]) -> tuple[int, ...]:
    """One block of Philox as its authors define it (Salmon et al., SC 2011, section 3.3)."""
    mask = 2**64 - 1
    a, b, c, d = counter
    for round_ in range(10):
        k = (
            (key[0] + round_ * 0x9E3779B97F4A7C15) & mask,
            (key[1] + round_ * 0xBB67AE8584CAA73B) & mask,
        )
        x, y = 0xD2E7470EE14C6C93 * a, 0xCA5A826395121157 * c
        a, b, c, d = (y >> 64) ^ b ^ k[0], y & mask, (x >> 64) ^ d ^ k[1], x & mask
    return a, b, c, d


def test_the_drawn_order_is_a_permutation_that_stays():
    assert drawn_order(8, 0, "split").tolist() == [4, 5, 3, 6, 7, 0, 2, 1]
    assert sorted(drawn_order(1000, 3, "split")) == list(range(1000))


@pytest.mark.parametrize("seed", [0, 1, 2**64 - 1])
def test_drawn_splits_are_disjoint_and_complete(seed):
    result = split({"train": IMAGES}, counts(20, 30), seed)
    assert {name: len(images) for name, images in result.items()} == {
        "train": 75,
        "validation": 20,
        "test": 30,
    }
    assert sorted(row for images in result.values() for row in rows(images)) == list(range(125))
    assert rows(result["train"]) == sorted(rows(result["train"]))


def test_the_seed_decides_the_split():
    drawn = [rows(split({"train": IMAGES}, counts(20, 30), seed)["test"]) for seed in (0, 0, 1)]
    assert drawn[0] == drawn[1] != drawn[2]


def test_fewer_images_are_the_first_of_the_more_and_leave_the_test_alone():
    few, many = (split({"train": IMAGES}, counts(n, 30), 0) for n in (10, 20))
    assert rows(few["validation"]) == rows(many["validation"])[:10]
    assert rows(few["test"]) == rows(many["test"])


@pytest.mark.parametrize("count", [None, 125])
def test_a_published_test_set_is_taken_whole_and_in_order(count):
    result = split({"train": IMAGES, "test": IMAGES + 1}, counts(20, count), 0)
    np.testing.assert_array_equal(result["test"], IMAGES + 1)
    assert len(result["train"]) == 105


def test_fewer_of_a_published_test_set_are_a_random_choice():
    chosen = rows(split({"train": IMAGES + 1, "test": IMAGES}, counts(20, 40), 0)["test"])
    assert len(set(chosen)) == 40
    assert max(chosen) > 100 and chosen != sorted(chosen)


def test_a_source_with_all_parts_keeps_them():
    parts = {"train": IMAGES, "validation": IMAGES[:9], "test": IMAGES[9:]}
    result = split(parts, counts(None, None), 0)
    for name, images in parts.items():
        np.testing.assert_array_equal(result[name], images)


@pytest.mark.parametrize(
    ("published", "validation", "test", "why"),
    [
        ([], 25, 100, "125 images cannot give 100 test and 25 validation images and leave any"),
        (["test"], 125, None, "125 images cannot give 125 validation images and leave any"),
        (["test"], 1, 126, "test_images is 126, but there are 125; lower it"),
        ([], 20, None, "has no test images of its own; set test_images"),
        ([], None, 20, "has no validation images of its own; set validation_images"),
        ([], 0, 20, "validation_images is 0; at least 1 is needed"),
        (["test"], 5, -1, "test_images is -1; at least 2 are needed"),
    ],
)
def test_counts_that_cannot_be_met(published, validation, test, why):
    parts = dict.fromkeys(["train", *published], IMAGES)
    with pytest.raises(BadData, match=why):
        split(parts, counts(validation, test), 0)


@pytest.mark.parametrize("levels", [1, 16, 255])
def test_black_is_never_on_and_white_always(levels):
    black = np.zeros((400, 100), np.uint8)
    assert not binarise_split(black, levels, 0, "test").any()
    assert binarise_split(black + np.uint8(levels), levels, 0, "test").all()


def test_a_pixel_is_on_as_often_as_its_level_says():
    grey = np.tile(np.arange(17, dtype=np.uint8), (20_000, 1))
    on = binarise_split(grey, 16, 0, "validation").mean(axis=0)
    level = np.arange(17) / 16
    error = np.sqrt(level * (1 - level) / len(grey))
    assert (np.abs(on - level) <= 4.5 * error).all()


def test_a_pixel_follows_the_documented_rule():
    grey = np.arange(256, dtype=np.uint8).reshape(2, 128)
    words = [int(word) >> 32 for word in stream(9, "b-test").random_raw(256)]
    expected = [u * 255 < level * 2**32 for u, level in zip(words, range(256), strict=True)]
    assert binarise_split(grey, 255, 9, "test").reshape(-1).tolist() == expected


def test_blocks_do_not_show(monkeypatch):
    grey = np.full((30, 7), 100, np.uint8)
    whole = binarise_split(grey, 255, 0, "test")
    monkeypatch.setattr("elboflow.images.binarise.BLOCK", 11)
    np.testing.assert_array_equal(binarise_split(grey, 255, 0, "test"), whole)
    np.testing.assert_array_equal(binarise_split(grey[:4], 255, 0, "test"), whole[:4])


def test_each_split_and_seed_has_noise_of_its_own():
    grey = np.full((50, 64), 128, np.uint8)
    drawn = {
        hashlib.sha256(binarise_split(grey, 255, seed, name).tobytes()).hexdigest()
        for seed in (0, 1)
        for name in ("validation", "test")
    }
    assert len(drawn) == 4
