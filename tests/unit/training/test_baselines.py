import math

import numpy as np
import pytest

from elboflow.vae.measure.baselines import baselines, level_counts
from elboflow.vae.model.binary_likelihoods import Bernoulli
from elboflow.vae.model.level_likelihoods import Categorical, DiscretisedLogistic
from elboflow.vae.model.unit_likelihoods import ContinuousBernoulli, Gaussian

TRAINING = np.array([[0, 4, 8, 16], [0, 4, 8, 16], [0, 4, 16, 16], [0, 4, 0, 16]], dtype=np.uint8)
GREY = np.array([[0, 4, 8, 16]], dtype=np.uint8)


def of_grey(likelihood):
    return baselines(likelihood, TRAINING, GREY, GREY, 16)


def test_levels_are_counted_per_pixel_in_chunks():
    grey = np.random.default_rng(0).integers(0, 4, (25, 6)).astype(np.uint8)
    counts = level_counts(grey, 3, chunk=7)
    assert counts.shape == (6, 4)
    for pixel in range(6):
        assert counts[pixel].tolist() == [(grey[:, pixel] == level).sum() for level in range(4)]


@pytest.mark.promise(
    "noise_floor, mean_image",
    "exact",
    "four pixels by hand",
)
def test_binary_images_have_floor_entropy_and_mean_image():
    binary = np.array([[0, 1, 0, 1]], dtype=np.uint8)
    found = baselines(Bernoulli(), TRAINING, GREY, binary, 16)
    assert found.noise_floor is not None and found.entropy is not None
    assert found.noise_floor[0] == pytest.approx(math.log(0.25) + math.log(0.5))
    entropy = -(0.25 * math.log(0.25) + 0.75 * math.log(0.75)) + math.log(2)
    assert found.entropy[0] == pytest.approx(entropy)
    mean_image = math.log(0.999) + math.log(0.25) + math.log(0.5) + math.log(0.999)
    assert found.mean_image[0] == pytest.approx(mean_image)


def test_images_that_are_not_drawn_from_grey_levels_have_no_floor():
    black_and_white = (TRAINING > 8).astype(np.uint8)
    found = baselines(Bernoulli(), black_and_white, black_and_white, black_and_white, 1)
    assert found.noise_floor is None and found.entropy is None
    for likelihood in (Gaussian(), ContinuousBernoulli(), Categorical(16)):
        assert of_grey(likelihood).noise_floor is None


@pytest.mark.promise(
    "mean_image",
    "exact for each likelihood",
    "Gaussian pixels by hand",
)
def test_gaussian_pixels_have_the_training_means_and_one_scale():
    unit = TRAINING / 16
    variance = unit.var(0).mean()
    squares = np.square(GREY / 16 - unit.mean(0)).sum()
    expected = -0.5 * (4 * math.log(2 * math.pi * variance) + squares / variance)
    assert of_grey(Gaussian(0.7)).mean_image[0] == pytest.approx(expected)


@pytest.mark.promise(
    "mean_image",
    "exact for each likelihood",
    "grey levels by hand",
)
def test_levels_have_the_smoothed_histogram_whatever_the_likelihood():
    shares = np.array([5, 5, 3, 5]) / (4 + 17)
    for likelihood in (Categorical(16), DiscretisedLogistic(16)):
        assert of_grey(likelihood).mean_image[0] == pytest.approx(np.log(shares).sum())


def test_continuous_bernoulli_pixels_have_the_training_means():
    """At a mean of one half, a uniform density; at 0 and 1, exponentials of mean 0.01."""
    found = of_grey(ContinuousBernoulli()).mean_image[0]
    quarter = baselines(ContinuousBernoulli(), TRAINING[:, 1:2], GREY[:, 1:2], GREY[:, 1:2], 16)
    assert found == pytest.approx(quarter.mean_image[0] + 2 * math.log(100), abs=1e-6)
