"""Whose nearest neighbour is whose, in cases that are known."""

from itertools import combinations

import pytest
import torch

from elboflow.vae.measure.neighbours import halves, nearer_to_first

LIMIT = 2.24  # standard deviations that one of two halves exceeds in 5 % of draws


def column(*values):
    return torch.tensor(values, dtype=torch.float64)[:, None]


def normals(count, pixels, generator):
    return torch.randn(count, pixels, dtype=torch.float64, generator=generator)


def of_seed(seed):
    return torch.Generator().manual_seed(seed)


@pytest.mark.parametrize(
    ("real", "made", "expected"),
    [
        (column(0, 1), column(10, 11), (1.0, 1.0)),  # each keeps to itself
        (column(0, 10), column(1, 11), (0.0, 0.0)),  # each has one of the others beside it
        (column(0, 5), column(0, 5), (0.0, 0.0)),
        (column(0, 1, 2), column(-1, 7, 8), (2.5 / 3, 2 / 3)),  # 0 lies between two
        (column(0, 10, 20), column(9.9, 10.15, 10.2), (0.0, 2 / 3)),
    ],
)
def test_the_nearest_neighbour_is_of_its_own_kind(real, made, expected):
    found = halves(real, made)
    assert (found.real[0], found.made[0]) == pytest.approx(expected)
    swapped = halves(made, real)
    assert (swapped.made, swapped.real) == (found.real, found.made)


@pytest.mark.promise(
    "sample_1nn_null, reconstruction_1nn_null, training_1nn_null",
    "mean and sd of either half where both kinds are of one distribution, these images given",
    "all ways to call half of the images real, also of equal images",
)
@pytest.mark.parametrize("pixels", [1, 3])
def test_the_null_is_that_of_all_ways_to_call_half_of_the_images_real(pixels):
    """Also of images some of which are equal."""
    both = normals(8, pixels, of_seed(1)).round()
    values = []
    for chosen in combinations(range(8), 4):
        rest = [image for image in range(8) if image not in chosen]
        values.append(halves(both[list(chosen)], both[rest]).real[0])
    mean, sd = halves(both[:4], both[4:]).null
    values = torch.tensor(values, dtype=torch.float64)
    assert mean == pytest.approx(values.mean().item()) == 3 / 7
    assert sd == pytest.approx(values.std(correction=0).item())


@pytest.mark.promise(
    "sample_1nn_real, sample_1nn_made, reconstruction_1nn_real, reconstruction_1nn_made, "
    "training_1nn_real, training_1nn_made",
    "where both kinds are of one distribution, one of both halves differs in 5 % of cases",
    "300 draws of 60 images of each kind, in 2, 10 and 784 dimensions and of binary pixels: "
    "at most 7.5 %",
)
@pytest.mark.parametrize("draw", ["2", "10", "784", "binary"])
def test_images_of_one_distribution_differ_as_often_as_is_said(draw):
    generator, differ = of_seed(2), []
    for _ in range(300):
        both = normals(120, 12 if draw == "binary" else int(draw), generator)
        found = halves(*(both > 0.3 if draw == "binary" else both).split(60))
        mean, sd = found.null
        differ.append(any(abs(half[0] - mean) > LIMIT * sd for half in (found.real, found.made)))
    assert 0.02 < sum(differ) / 300 <= 0.075


@pytest.mark.promise(
    "sample_1nn_real, sample_1nn_made, reconstruction_1nn_real, reconstruction_1nn_made, "
    "training_1nn_real, training_1nn_made",
    "the data error is the spread over draws of the images, or up to half as large again",
    "200 draws of 60 images of each kind, equal, shifted, of another scale and of half the kinds: "
    "0.85 to 1.5",
)
@pytest.mark.parametrize(
    ("pixels", "shift", "scale", "kinds"),
    [
        (2, 0, 1, 1),
        (10, 0, 1, 1),
        (10, 0.5, 1, 1),
        (5, 0, 0.8, 1),
        (100, 0, 0.97, 1),
        (10, 0, 1, 4),
    ],
)
def test_the_error_is_the_spread_over_draws(pixels, shift, scale, kinds):
    generator = of_seed(1)
    centres, found = 8 * normals(kinds, pixels, of_seed(3)), []
    for _ in range(200):
        real, made = normals(120, pixels, generator).split(60)
        real = real + centres[torch.randint(kinds, (60,), generator=generator)]
        kept = torch.randint(max(kinds // 2, 1), (60,), generator=generator)
        made = scale * made + shift + centres[kept]
        result = halves(real, made)
        found.append([*result.real, *result.made])
    values = torch.tensor(found, dtype=torch.float64)
    for half in (0, 2):
        ratio = values[:, half + 1].square().mean().sqrt() / values[:, half].std()
        assert 0.85 < ratio < 1.5


@pytest.mark.promise(
    "sample_1nn_real, sample_1nn_made, reconstruction_1nn_real, reconstruction_1nn_made, "
    "training_1nn_real, training_1nn_made",
    "they tell images that are too alike from those that are too spread, of which each has a mean "
    "of 0.5 over both halves",
    "200 of N(0, I) against N(0, 0.81 I) and N(0, 1.23 I) in 784 dimensions: 0 and 1, within 0.02",
)
@pytest.mark.parametrize(("scale", "expected"), [(0.9, (0, 1)), (1 / 0.9, (1, 0))])
def test_images_of_another_scale_are_right_and_wrong_by_halves(scale, expected):
    real, made = normals(400, 784, of_seed(4)).split(200)
    found = halves(real, scale * made)
    assert (found.real[0], found.made[0]) == pytest.approx(expected, abs=0.02)


@pytest.mark.parametrize(
    ("made", "expected"), [((0.1, 5.1), 1.0), ((2.9, 8), 0.0), ((0, 8, 4), 0.5)]
)
def test_the_nearest_of_two_sets(made, expected):
    first, second = column(0, 5), column(3, 9)
    (share, _), _ = nearer_to_first(column(*made), first, second)
    assert share == pytest.approx(expected)


@pytest.mark.promise(
    "sample_nearest_training, sample_nearest_training_null",
    "0.5 where the model knows nothing of single training images; it is then above by more than "
    "two standard deviations in 2.5 % of cases",
    "200 draws of 60 samples among 100 and 100 images in 2, 10 and 784 dimensions: at most 5 %",
)
@pytest.mark.parametrize("pixels", [2, 10, 784])
def test_what_was_not_memorised_is_as_near_to_other_images(pixels):
    generator, off = of_seed(5), []
    for _ in range(200):
        made, first, second = normals(260, pixels, generator).split([60, 100, 100])
        (share, _), (mean, sd) = nearer_to_first(made, first, second)
        off.append((share - mean) / sd)
    off = torch.tensor(off, dtype=torch.float64)
    assert off.mean().abs() < 3 / 200**0.5
    assert off.std() == pytest.approx(1, abs=0.15)
    assert (off > 2).double().mean() <= 0.05


@pytest.mark.promise(
    "sample_nearest_training",
    "finds a model that repeats training images, which no other of these numbers does",
    "120 noisy copies of 300 images, of which 150 are looked at",
)
def test_copies_of_training_images_are_found():
    generator = of_seed(6)
    training, tested = normals(300, 10, generator), normals(150, 10, generator)
    copies = training[torch.randint(300, (120,), generator=generator)]
    made = copies + 0.1 * normals(120, 10, generator)
    (share, _), (expected, spread) = nearer_to_first(made, training[:150], tested)
    assert share - 2 * spread > expected
    found = halves(tested[:120], made)
    mean, sd = found.null
    assert abs(found.real[0] - mean) < LIMIT * sd and abs(found.made[0] - mean) < LIMIT * sd
