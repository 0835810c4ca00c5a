"""What tells the images of a model from test images."""

import math

import numpy as np
import pytest
import torch

from elboflow.vae.measure.two_sample import told_apart

PIXELS = 12
MADE = ("sample", "reconstruction")


def constant_model(toy, share):
    """A model of independent pixels that are on with this probability, whatever z is."""
    vae = toy["vae"]()
    with torch.no_grad():
        vae.output.weight.zero_()
        vae.output.bias.fill_(float(torch.logit(torch.tensor(share, dtype=torch.float64))))
    return vae


def found_of(vae, tested, training):
    return {quantity.name: quantity for quantity in told_apart(vae, 1, tested, training)}


@pytest.mark.parametrize(("share", "apart"), [(0.4, False), (0.95, True)])
def test_samples_and_reconstructions_are_as_good_as_the_model(toy, share, apart):
    random = np.random.default_rng(0)
    tested = torch.from_numpy((random.random((800, PIXELS)) < 0.4).astype(float))
    training = np.where(random.random((900, PIXELS)) < 0.4, 16, 0).astype(np.uint8)
    found = found_of(constant_model(toy, share), tested, training)
    for kind in (*MADE, "training"):
        differs = apart and kind in MADE
        null = found[f"{kind}_1nn_null"]
        assert null.value == 399 / 799
        for half in ("real", "made"):
            quantity = found[f"{kind}_1nn_{half}"]
            assert (quantity.unit, quantity.images) == ("share of images", 400)
            assert (quantity.value - null.value > 5 * null.data_error) == differs
            assert differs or abs(quantity.value - null.value) < 3 * null.data_error
        bound = found[f"{kind}_jsd_bound"]
        assert (bound.unit, bound.images, bound.value > 0.3) == ("nats", 400, differs)
        assert differs or bound.value < 2 * bound.data_error


def test_reconstructions_are_of_other_images_than_those_that_they_are_held_against(toy):
    """Of a model that copies, test images of two kinds by turns would else be found again."""
    tested = torch.zeros(100, PIXELS, dtype=torch.float64)
    tested[1::2] = 1  # what is reconstructed
    training = np.zeros((100, PIXELS), dtype=np.uint8)
    found = found_of(constant_model(toy, 1 - 1e-9), tested, training)
    for kind in MADE:
        for half in ("real", "made"):
            assert found[f"{kind}_1nn_{half}"].value == pytest.approx(1)
        assert 0.5 < found[f"{kind}_jsd_bound"].value < math.log(2)
    for half in ("real", "made"):  # all are equal, and one is left out
        assert found[f"training_1nn_{half}"].value == pytest.approx(49 / 99)
    assert found["training_jsd_bound"].value == pytest.approx(0, abs=1e-6)


def test_a_split_that_is_sorted_is_sampled_all_over(toy):
    """Nine tenths of the test images are black, as all of the model's are; the rest is white."""
    tested = torch.zeros(2000, PIXELS, dtype=torch.float64)
    tested[1800:] = 1
    training = np.where(tested.numpy() > 0, 16, 0).astype(np.uint8)
    found = found_of(constant_model(toy, 1e-9), tested, training)
    black = (900 * 899 / 1899 + 100) / 1000
    assert found["sample_1nn_real"].value == pytest.approx(black)
    assert found["sample_1nn_made"].value == pytest.approx(999 / 1899)
    assert found["training_1nn_real"].value == pytest.approx(0.5, abs=0.002)
    assert found["sample_nearest_training"].value == pytest.approx(0.5)


@pytest.mark.parametrize(("share", "expected"), [(1 - 1e-9, 1.0), (1e-9, 0.0)])
def test_samples_that_are_training_images_have_those_nearest(toy, share, expected):
    """Training images are white and test images black; the model makes one of both."""
    tested = torch.zeros(60, PIXELS, dtype=torch.float64)
    training = np.full((90, PIXELS), 16, dtype=np.uint8)
    found = found_of(constant_model(toy, share), tested, training)
    assert found["sample_nearest_training"].value == expected
    assert found["sample_nearest_training_null"].value == 0.5


def test_few_images_tell_nothing(toy):
    images = torch.zeros(39, PIXELS, dtype=torch.float64)
    assert told_apart(toy["vae"](), 1, images, np.zeros((100, PIXELS), dtype=np.uint8)) == []
