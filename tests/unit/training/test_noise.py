import numpy as np
import pytest
import torch
from hypothesis import given
from hypothesis import strategies as st

from elboflow.vae.noise import Purpose, _key, binarise, normals, words, words_for, words_on_device


@given(st.integers(0, 2**32 - 1), st.integers(0, 200), st.integers(1, 50), st.integers(1, 9))
def test_any_item_can_be_sought(seed, first, items, per_item):
    whole = words(seed, Purpose.TRAINING, [(0, 0)], first + items, per_item)
    sought = words(seed, Purpose.TRAINING, [(0, first)], items, per_item)
    assert torch.equal(sought, whole[:, first:])


@given(
    st.integers(0, 2**64 - 1),
    st.sampled_from(Purpose),
    st.lists(st.tuples(st.integers(0, 2**63 - 1), st.integers(0, 2**40)), min_size=1, max_size=4),
    st.integers(1, 9),
    st.integers(1, 5),
)
def test_a_device_draws_the_words_of_numpy(seed, purpose, starts, count, blocks):
    """numpy's generator is the reference; the tensors happen to be on the CPU."""
    key = _key(seed, purpose)
    drawn = words_on_device(key, starts, count, blocks, torch.device("cpu"))
    for (row, first), found in zip(starts, drawn, strict=True):
        stream = np.random.Philox(key=key, counter=(row << 128) + first * blocks)
        assert np.array_equal(found.numpy().view(np.uint64), stream.random_raw(4 * count))


def test_streams_of_seeds_purposes_and_rows_differ():
    streams = [
        words(seed, purpose, [(row, 0)], 100, 4).numpy().tobytes()
        for seed in (0, 1)
        for purpose in (Purpose.ELBO, Purpose.IMPORTANCE)
        for row in (0, 1)
    ]
    assert len(set(streams)) == 8


def test_normals_have_the_moments_of_the_standard_normal():
    draws = normals(words(5, Purpose.TRAINING, [(0, 0)], 100_000, 4), torch.float64)
    count = draws.numel()
    assert abs(draws.mean()) < 5 / count**0.5
    assert abs(draws.var() - 1) < 5 * (2 / count) ** 0.5
    assert abs((draws**4).mean() - 3) < 5 * (96 / count) ** 0.5
    assert torch.isfinite(draws).all()


def test_the_ends_of_the_range_of_words_give_finite_normals():
    ends = torch.tensor([0, -1])  # as unsigned words: 0 and 2^64 - 1
    lowest, highest = normals(ends, torch.float64).tolist()
    assert -9 < lowest == -highest


def binary(grey: torch.Tensor, levels: int, seed: int, first: int) -> torch.Tensor:
    starts, per_image = [(0, first)], words_for(grey.shape[1])
    return binarise(
        grey, levels, words(seed, Purpose.BINARISATION, starts, len(grey), per_image)[0]
    )


@pytest.mark.promise(
    "noise_floor",
    "binary pixels are on with the probability of their grey level",
    "20,000 draws of 17 levels: 5 standard errors",
)
def test_pixels_are_on_with_the_probability_of_their_grey_level():
    count, levels = 20_000, 16
    grey = torch.arange(levels + 1, dtype=torch.uint8).repeat(count, 1)
    share = binary(grey, levels, seed=3, first=0).double().mean(0)
    expected = torch.arange(levels + 1, dtype=torch.float64) / levels
    assert share[0] == 0
    assert share[-1] == 1
    assert ((share - expected).abs() <= 5 * (expected * (1 - expected) / count).sqrt()).all()


@pytest.mark.parametrize("levels", [1, 16, 254, 255])
def test_a_pixel_is_on_up_to_the_last_draw_of_its_level(levels):
    """Of the 2^31 draws the first ceil(2^31 level / levels), whichever way that is found out."""
    last = np.array([-(-level * 2**31 // levels) - 1 for level in range(levels + 1)])
    draws = np.clip(np.stack([last - 1, last, last + 1]), 0, 2**31 - 1)
    halves = np.pad(draws << 1, ((0, 0), (0, (levels + 1) % 2))).astype(np.uint32)
    grey = torch.arange(levels + 1, dtype=torch.uint8).repeat(3, 1)
    binary = binarise(grey, levels, torch.from_numpy(halves.view(np.int64)))
    assert binary.tolist() == (draws <= last).tolist()


def test_each_visit_is_binarised_afresh_and_alike_on_any_rank():
    grey = torch.full((8, 30), 128, dtype=torch.uint8)
    whole = binary(grey, 255, seed=1, first=40)
    parts = [binary(grey[:3], 255, 1, 40), binary(grey[3:], 255, 1, 43)]
    assert torch.equal(torch.cat(parts), whole)
    assert not torch.equal(binary(grey, 255, 1, 48), whole)
