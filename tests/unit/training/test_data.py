import hashlib
import json

import numpy as np
import pytest
import torch
from hypothesis import given
from hypothesis import strategies as st

from elboflow.vae.data import (
    DataError,
    TrainingImages,
    as_observed,
    load,
    rank_slice,
    read_manifest,
)


@given(st.integers(1, 500), st.integers(1, 16))
def test_shares_of_a_batch_are_complete_disjoint_and_even(count, size):
    shares = [rank_slice(count, rank, size) for rank in range(size)]
    positions = [position for share in shares for position in range(share.start, share.stop)]
    assert positions == list(range(count))
    lengths = [share.stop - share.start for share in shares]
    assert max(lengths) - min(lengths) <= 1


def rows(images: int) -> np.ndarray:
    """Images that are on or off for sure and spell their own number in binary."""
    return (np.arange(images)[:, None] >> np.arange(8) & 1).astype(np.uint8)


def numbers(batch) -> list[int]:
    return (batch.numpy() @ (1 << np.arange(8))).tolist()


def test_each_pass_shows_every_image_once_and_tails_are_carried_over():
    images = TrainingImages(rows(25), levels=1, seed=1, batch_size=10)
    shown = [n for batch in images.batches(0, 5, slice(0, 10)) for n in numbers(batch)]
    assert sorted(shown[:25]) == list(range(25))
    assert sorted(shown[25:]) == list(range(25))
    assert shown[:25] != shown[25:]


def test_batches_do_not_depend_on_ranks_or_on_what_was_drawn_before():
    grey = np.random.default_rng(0).integers(0, 256, (25, 30)).astype(np.uint8)
    whole = TrainingImages(grey, 255, 7, 10).batches(3, 2, slice(0, 10))
    again = TrainingImages(grey, 255, 7, 10)
    again.batches(8, 1, slice(0, 10))
    shares = [again.batches(3, 2, rank_slice(10, rank, 3)) for rank in range(3)]
    assert np.array_equal(np.concatenate(shares, axis=1), whole)
    assert not np.array_equal(TrainingImages(grey, 255, 8, 10).batches(3, 2, slice(0, 10)), whole)


def test_batches_drawn_ahead_are_those_drawn_one_by_one():
    images = TrainingImages(rows(25), levels=1, seed=1, batch_size=10)
    one_by_one = [images.batches(step, 1, slice(0, 10))[0] for step in range(7)]
    assert np.array_equal(images.batches(0, 7, slice(0, 10)), np.stack(one_by_one))


@pytest.mark.parametrize("observes", ["unit", "levels"])
def test_grey_levels_are_shown_as_they_are_in_the_order_of_the_binary_ones(observes):
    images = TrainingImages(rows(25), 1, 1, 10, observes=observes)
    binary = TrainingImages(rows(25), 1, 1, 10)  # on or off for sure
    assert np.array_equal(images.batches(2, 3, slice(3, 7)), binary.batches(2, 3, slice(3, 7)))
    grey = np.random.default_rng(0).integers(0, 256, (25, 8)).astype(np.uint8)
    shown = TrainingImages(grey, 255, 1, 25, observes=observes).batches(0, 1, slice(0, 25))[0]
    assert sorted(shown.tolist()) == sorted(grey.tolist())


def test_what_a_likelihood_sees_of_stored_images():
    stored = torch.tensor([[0, 4, 16]], dtype=torch.uint8)
    found = {
        observes: as_observed(stored, observes, 16, torch.float64).tolist()
        for observes in ("binary", "unit", "levels")
    }
    assert found == {"binary": [[0, 4, 16]], "unit": [[0, 0.25, 1]], "levels": [[0, 4, 16]]}


def test_a_batch_larger_than_the_data_is_refused():
    with pytest.raises(DataError, match="batch_size: 30 is more than the 25 training images"):
        TrainingImages(rows(25), 1, 1, 30)


@pytest.fixture
def folder(tmp_path):
    np.save(tmp_path / "train.npy", rows(5))
    content = (tmp_path / "train.npy").read_bytes()
    entry = {"images": 5, "sha256": hashlib.sha256(content).hexdigest()}
    manifest = {"levels": 1, "image_shape": [2, 4], "files": {"train.npy": entry}}
    (tmp_path / "manifest.json").write_text(json.dumps(manifest))
    return tmp_path


def test_an_array_is_loaded_and_checked(folder):
    assert np.array_equal(load(read_manifest(folder), "train.npy"), rows(5))


@pytest.mark.parametrize(
    ("damage", "message"),
    [
        (lambda f: (f / "train.npy").unlink(), "train.npy: unreadable"),
        (lambda f: (f / "train.npy").write_bytes(b""), "train.npy: sha256 differs"),
        (lambda f: np.save(f / "train.npy", rows(6)), "train.npy: sha256 differs"),
        (lambda f: (f / "manifest.json").unlink(), "manifest.json: unreadable"),
        (lambda f: (f / "manifest.json").write_text("{"), "manifest.json: unreadable"),
        (lambda f: (f / "manifest.json").write_text("[]"), "manifest.json: unreadable"),
        (lambda f: (f / "manifest.json").write_text('{"levels": 1}'), "manifest.json: unreadable"),
    ],
)
def test_damaged_data_is_refused_by_name(folder, damage, message):
    damage(folder)
    with pytest.raises(DataError, match=message):
        load(read_manifest(folder), "train.npy")
