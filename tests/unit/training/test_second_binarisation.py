"""How much a mean over test images depends on their binarisation: against what is known of it."""

import numpy as np
import pytest
import torch

from elboflow.vae.measure.second_binarisation import binarisation_sd

IMAGES = 400


def sd_of(vae, grey, seed=3):
    (found,) = binarisation_sd(vae, seed, grey)
    assert (found.name, found.images) == ("binarisation_sd", IMAGES)
    return found.value


def without_z(vae):
    """The model with independent pixels and q(z | x) = p(z), whose weights are all equal."""
    with torch.no_grad():
        for parameter in vae.posterior.parameters():
            parameter.zero_()
        vae.output.weight.zero_()
        vae.output.bias.copy_(torch.linspace(-2, 1, len(vae.output.bias)))
    return vae


@pytest.mark.promise(
    "published_difference, binarisation_sd",
    "the sd over binarisations of the same test images is right",
    "independent pixels, where it has a formula, 20 seeds: 4 standard errors, 10 % of the variance",
)
def test_of_independent_pixels_the_sd_is_known(toy):
    vae, grey = without_z(toy["vae"]()), toy["grey"](IMAGES)
    on, logits = grey / vae.shape.levels, vae.output.bias.detach().numpy()
    exact = (on * (1 - on) * logits**2).sum(1).mean() / IMAGES
    found = np.array([sd_of(vae, grey, seed) ** 2 for seed in range(20)])
    tolerance = 4 * found.std(ddof=1) / len(found) ** 0.5
    assert abs(found.mean() - exact) < tolerance < 0.1 * exact


def test_more_images_than_are_drawn_count_in_the_mean(toy):
    """Four times as many of the same kind: half of the sd."""
    vae, grey = without_z(toy["vae"]()), toy["grey"](IMAGES)
    assert sd_of(vae, np.repeat(grey, 4, axis=0)) == pytest.approx(sd_of(vae, grey) / 2)


def test_images_that_are_black_and_white_do_not_depend_on_it(toy):
    vae = toy["vae"]()
    assert sd_of(vae, toy["grey"](IMAGES) // 16 * 16) == 0


def test_grey_levels_are_not_binarised(toy):
    vae = toy["vae"](likelihood="discretised_logistic")
    assert binarisation_sd(vae, 3, toy["grey"](IMAGES)) == []
