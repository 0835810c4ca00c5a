"""How well made images can be told from real ones."""

import numpy as np
import pytest
import torch
from vae.two_sample import accuracy, told_apart

PIXELS = 12


def column(*values):
    return torch.tensor(values, dtype=torch.float64)[:, None]


@pytest.mark.parametrize(
    ("real", "made", "expected"),
    [
        (column(0, 1), column(10, 11), 1.0),  # each keeps to itself
        (column(0, 10), column(1, 11), 0.0),  # each has one of the others beside it
        (column(0, 5), column(0, 5), 0.0),
        (column(0, 1, 2), column(-1, 7, 8), (0.5 + 1 + 1 + 0 + 1 + 1) / 6),  # 0 lies between two
    ],
)
def test_the_nearest_neighbour_has_the_label(real, made, expected):
    assert accuracy(real, made)[0] == pytest.approx(expected)


@pytest.mark.promise(
    "sample_1nn_accuracy, reconstruction_1nn_accuracy, training_1nn_accuracy",
    "the data error is the spread over draws of the images",
    "400 draws of 60 images of each kind: 15 %",
)
@pytest.mark.parametrize(("pixels", "shift"), [(2, 0.0), (10, 0.0), (10, 0.5)])
def test_the_error_is_the_spread_over_draws(pixels, shift):
    """Also of nearest neighbours in pairs, whose labels are right or wrong together."""
    generator = torch.Generator().manual_seed(1)
    found = []
    for _ in range(400):
        real, made = torch.randn(2, 60, pixels, dtype=torch.float64, generator=generator)
        found.append(accuracy(real, made + shift))
    values, errors = torch.tensor(found, dtype=torch.float64).T
    assert values.std().item() == pytest.approx(errors.mean().item(), rel=0.15)


def constant_model(toy, share):
    """A model of independent pixels that are on with this probability, whatever z is."""
    vae = toy["vae"]()
    with torch.no_grad():
        vae.output.weight.zero_()
        vae.output.bias.fill_(float(torch.logit(torch.tensor(share, dtype=torch.float64))))
    return vae


@pytest.mark.parametrize(("share", "apart"), [(0.4, False), (0.95, True)])
def test_samples_and_reconstructions_are_as_good_as_the_model(toy, share, apart):
    random = np.random.default_rng(0)
    tested = torch.from_numpy((random.random((800, PIXELS)) < 0.4).astype(float))
    training = np.where(random.random((900, PIXELS)) < 0.4, 16, 0).astype(np.uint8)
    found = {q.name: q for q in told_apart(constant_model(toy, share), 1, tested, training)}
    assert found["training_1nn_accuracy"].value == pytest.approx(0.5, abs=0.09)
    for name in ("sample_1nn_accuracy", "reconstruction_1nn_accuracy"):
        quantity = found[name]
        assert (quantity.unit, quantity.images) == ("share of images", 400)
        assert 0 < quantity.data_error < 2**0.5 * 0.5 / 800**0.5
        assert (quantity.value > 0.8) == apart
        assert apart or quantity.value == pytest.approx(0.5, abs=5 * quantity.data_error)


def test_reconstructions_are_of_other_images_than_those_that_they_are_held_against(toy):
    """Of a model that copies, test images of two kinds by turns would else be found again."""
    tested = torch.zeros(100, PIXELS, dtype=torch.float64)
    tested[1::2] = 1  # what is reconstructed
    training = np.zeros((100, PIXELS), dtype=np.uint8)
    found = {
        q.name: q.value for q in told_apart(constant_model(toy, 1 - 1e-9), 1, tested, training)
    }
    assert found == {
        "sample_1nn_accuracy": 1.0,
        "reconstruction_1nn_accuracy": 1.0,
        "training_1nn_accuracy": 0.5 - 0.5 / 99,  # all are equal, and one is left out
    }


def test_a_split_that_is_sorted_is_sampled_all_over(toy):
    """Nine tenths of the test images are black, as all of the model's are; the rest is white."""
    tested = torch.zeros(10_000, PIXELS, dtype=torch.float64)
    tested[9000:] = 1
    training = np.where(tested.numpy() > 0, 16, 0).astype(np.uint8)
    found = {q.name: q for q in told_apart(constant_model(toy, 1e-9), 1, tested, training)}
    black, white, made = 900 * 899 / 1899, 100, 1000 * 999 / 1899  # right, of 2000
    assert found["sample_1nn_accuracy"].value == pytest.approx((black + white + made) / 2000)
    assert found["training_1nn_accuracy"].value == pytest.approx(0.5, abs=0.002)


def test_few_images_tell_nothing(toy):
    images = torch.zeros(39, PIXELS, dtype=torch.float64)
    assert told_apart(toy["vae"](), 1, images, np.zeros((100, PIXELS), dtype=np.uint8)) == []
