import numpy as np
import torch
from hypothesis import given
from hypothesis import strategies as st
from vae.noise import Purpose, binarise, normals, words


@given(st.integers(0, 2**32 - 1), st.integers(0, 200), st.integers(1, 50), st.integers(1, 9))
def test_any_item_can_be_sought(seed, first, items, per_item):
    whole = words(seed, Purpose.TRAINING, 0, first + items, per_item)
    assert np.array_equal(words(seed, Purpose.TRAINING, first, items, per_item), whole[first:])


def test_streams_of_seeds_purposes_and_rows_differ():
    streams = [
        words(seed, purpose, 0, 100, 4, row).tobytes()
        for seed in (0, 1)
        for purpose in (Purpose.ELBO, Purpose.IMPORTANCE)
        for row in (0, 1)
    ]
    assert len(set(streams)) == 8


def test_normals_have_the_moments_of_the_standard_normal():
    draws = normals(words(5, Purpose.TRAINING, 0, 100_000, 4), torch.float64)
    count = draws.numel()
    assert abs(draws.mean()) < 5 / count**0.5
    assert abs(draws.var() - 1) < 5 * (2 / count) ** 0.5
    assert abs((draws**4).mean() - 3) < 5 * (96 / count) ** 0.5
    assert torch.isfinite(draws).all()


def test_the_ends_of_the_range_of_words_give_finite_normals():
    ends = np.array([0, 2**64 - 1], dtype=np.uint64)
    lowest, highest = normals(ends, torch.float64).tolist()
    assert -9 < lowest == -highest


def test_pixels_are_on_with_the_probability_of_their_grey_level():
    count, levels = 20_000, 16
    grey = np.tile(np.arange(levels + 1, dtype=np.uint8), (count, 1))
    share = binarise(grey, levels, seed=3, first=0).mean(0)
    expected = np.arange(levels + 1) / levels
    assert share[0] == 0
    assert share[-1] == 1
    assert (np.abs(share - expected) <= 5 * np.sqrt(expected * (1 - expected) / count)).all()


def test_each_visit_is_binarised_afresh_and_alike_on_any_rank():
    grey = np.full((8, 30), 128, dtype=np.uint8)
    whole = binarise(grey, 255, seed=1, first=40)
    parts = [binarise(grey[:3], 255, 1, 40), binarise(grey[3:], 255, 1, 43)]
    assert np.array_equal(np.concatenate(parts), whole)
    assert not np.array_equal(binarise(grey, 255, 1, 48), whole)
