"""Mean images on lines through the latent space."""

import numpy as np
import pytest
import torch

from elboflow.vae.data import ImageShape
from elboflow.vae.measure.walks import BETWEEN, STEPS, unlike_pair, walks
from elboflow.vae.model.make import make_model
from elboflow.vae.spec import TrainingSpec

SHAPE = ImageShape(2, 3, 1, 16)
GREY = np.array([[0] * 6, [1] * 6, [16] * 6, [9] * 6], np.uint8)


def model(**changes):
    spec = TrainingSpec(encoder_layers=[5], decoder_layers=[], precision="float64", **changes)
    vae = make_model(spec, SHAPE)
    vae.initialise(1, torch.full((6,), 0.3))
    return vae.eval()


def means(vae, count=40):
    x = (torch.rand(count, 6, generator=torch.Generator().manual_seed(1)) < 0.4).to(vae.dtype)
    with torch.no_grad():
        return vae.encode(x).mean.numpy()


def decoded(vae, z):
    with torch.no_grad():
        return vae.likelihood.mean(vae.decode(torch.from_numpy(z))).numpy()


def test_a_dimension_is_walked_with_the_others_at_their_means():
    vae = model(latent_dim=2)
    mean = means(vae)
    found = walks(vae, mean, np.tile(GREY, (10, 1)))
    assert found["traversal"].shape == (2, len(STEPS), 6)
    for dimension, images in zip(found["traversed"], found["traversal"], strict=True):
        z = np.tile(mean.mean(0), (len(STEPS), 1))
        z[:, dimension] += STEPS * mean[:, dimension].std(ddof=1)
        assert images == pytest.approx(decoded(vae, z), abs=1e-6)


def test_the_dimensions_that_change_the_image_most_come_first():
    vae = model(latent_dim=5)
    found = walks(vae, means(vae), np.tile(GREY, (10, 1)))
    assert len(found["traversed"]) == 3 and "plane" not in found
    change = np.square(found["traversal"][:, -1] - found["traversal"][:, 0]).sum(1)
    assert (np.diff(change) <= 0).all()


def test_an_interpolation_goes_from_one_encoded_image_to_the_other():
    vae = model(latent_dim=2)
    mean = means(vae)
    found = walks(vae, mean, np.tile(GREY, (10, 1)))
    assert found["ends"].tolist() == [0, 2]
    assert len(found["interpolation"]) == BETWEEN
    halfway = (mean[0] + mean[2]) / 2
    expected = decoded(vae, np.stack([mean[0], halfway, mean[2]]))
    assert found["interpolation"][[0, BETWEEN // 2, -1]] == pytest.approx(expected, abs=1e-6)
    assert found["plane"] is mean


def test_of_images_that_are_as_unlike_the_first_is_taken():
    assert unlike_pair(np.array([[5], [1], [9]], np.uint8)).tolist() == [0, 1]


@pytest.mark.parametrize(
    "changes", [{"posterior": "categorical", "prior": "uniform"}, {"second_latent_dim": 2}]
)
def test_a_discrete_z_is_not_walked_and_a_hierarchical_one_is(changes):
    vae = model(latent_dim=3, **changes)
    found = walks(vae, means(vae), np.tile(GREY, (10, 1)))
    assert bool(found) == ("second_latent_dim" in changes)
    if found:  # the mean image depends on z alone, and not on z2
        assert set(found["traversed"]) == {0, 1, 2}
