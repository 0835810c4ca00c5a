"""What holds of every likelihood that is declared: one that lacks something fails here."""

import itertools
import math

import pytest
import torch
from torch.autograd import gradcheck

from elboflow.vae.choices import DATA, LIKELIHOODS
from elboflow.vae.data import DataError, ImageShape
from elboflow.vae.model.likelihoods import make_likelihood

LEVELS = 4
SCALES = (None, 0.2, 0.03)  # learned, given
CASES = [
    (name, scale)
    for name, choice in LIKELIHOODS.items()
    for scale in (SCALES if choice.scaled else (None,))
]
LARGEST = {"binary": 1, "unit": 1, "levels": LEVELS}
OUTSIDE = {"binary": [0.5], "unit": [-0.1, 1.1, torch.nan], "levels": [0.5, -1.0, LEVELS + 1.0]}
each = pytest.mark.parametrize("case", CASES, ids=str)
each_discrete, each_density = (
    pytest.mark.parametrize(
        "case",
        [case for case in CASES if DATA[LIKELIHOODS[case[0]].observes].discrete == discrete],
        ids=str,
    )
    for discrete in (True, False)
)


@pytest.fixture
def likelihood(toy, case):
    name, scale = case
    spec = toy["spec"](likelihood=name, likelihood_scale=scale)
    return make_likelihood(spec, ImageShape(1, 3, 1, LEVELS)).double()


def numbers(*shape, seed=1):
    return torch.randn(*shape, dtype=torch.float64, generator=torch.Generator().manual_seed(seed))


def images(likelihood, count, pixels):
    uniform = torch.rand(count, pixels, generator=torch.Generator().manual_seed(2)).double()
    whole = (uniform * (LARGEST[likelihood.observes] + 1)).floor()
    return uniform if likelihood.observes == "unit" else whole


def values(likelihood):
    """All that a discrete pixel can be."""
    return torch.arange(LARGEST[likelihood.observes] + 1).double()


@pytest.mark.promise(
    "distortion, bits_per_dim",
    "probabilities of all images sum to 1",
    "each discrete likelihood, all images of three pixels: 1e-12",
)
@each_discrete
def test_probabilities_of_all_images_sum_to_one(likelihood):
    every = torch.tensor(list(itertools.product(values(likelihood), repeat=3))).double()
    outputs = numbers(3 * likelihood.outputs_per_pixel)
    total = likelihood.log_prob(outputs.expand(len(every), -1), every).exp().sum()
    assert total.item() == pytest.approx(1, abs=1e-12)


@pytest.mark.promise(
    "distortion",
    "the density integrates to 1",
    "each density, trapezoidal rule between draws of the most extreme noise: 1e-5",
)
@each_density
@pytest.mark.parametrize("factor", [0.0, 1e-3, 1.0, 20.0])
@torch.no_grad()
def test_the_density_between_two_draws_is_the_probability_between_their_noise(likelihood, factor):
    """Draws rise with the noise, or all fall."""
    uniform = torch.tensor([1e-9, 0.01, 0.25, 0.5, 0.75, 0.99, 1 - 1e-9], dtype=torch.float64)
    outputs = factor * numbers(likelihood.outputs_per_pixel)
    ends = likelihood.sample(outputs.expand(len(uniform), -1), uniform[:, None])[:, 0]
    assert ends.dtype == torch.float64
    masses = []
    for start, stop in itertools.pairwise(ends.tolist()):
        x = torch.linspace(start, stop, 20_001, dtype=torch.float64)[:, None]
        density = likelihood.log_prob(outputs.expand(len(x), -1), x).exp()
        masses.append(torch.trapezoid(density, x[:, 0]).item())
    assert abs(sum(masses)) == pytest.approx(1, abs=1e-5)
    sign = math.copysign(1, masses[0])
    assert [sign * mass for mass in masses] == pytest.approx(uniform.diff().tolist(), abs=1e-5)


@each_discrete
@pytest.mark.parametrize("factor", [0.0, 1.0, 20.0])
@torch.no_grad()
def test_values_have_their_frequencies(likelihood, factor):
    """Of noise that is spread evenly, so that each frequency is right to one draw."""
    count, x = 40_000, values(likelihood)
    uniform = ((torch.arange(count) + 0.5) / count).double()[:, None]
    outputs = factor * numbers(likelihood.outputs_per_pixel)
    found = likelihood.sample(outputs.expand(count, -1), uniform)
    expected = likelihood.log_prob(outputs.expand(len(x), -1), x[:, None]).exp()
    frequency = (found == x).double().mean(0)
    torch.testing.assert_close(frequency, expected, rtol=0, atol=1.5 / count)


@each
def test_gradients_are_those_of_finite_differences(likelihood):
    x = images(likelihood, 4, 3)
    outputs = numbers(2, 4, 3 * likelihood.outputs_per_pixel, seed=3).requires_grad_()
    parameters = list(likelihood.parameters())
    assert gradcheck(lambda *changed: likelihood.log_prob(changed[0], x), (outputs, *parameters))


@each
def test_samples_of_z_are_a_leading_axis_and_float64_stays(likelihood):
    x, outputs = images(likelihood, 4, 3), numbers(2, 4, 3 * likelihood.outputs_per_pixel)
    both = likelihood.log_prob(outputs, x)
    assert (both.shape, both.dtype) == ((2, 4), torch.float64)
    torch.testing.assert_close(both[1], likelihood.log_prob(outputs[1], x))
    single = likelihood.float().log_prob(outputs.float(), x.float())
    assert single.dtype == torch.float32
    torch.testing.assert_close(single.double(), both, rtol=1e-4, atol=1e-4)


@each
def test_an_untrained_decoder_shows_the_training_mean(likelihood):
    mean = torch.tensor([0.0, 0.2, 0.5, 1.0], dtype=torch.float64)
    shown = likelihood.mean(likelihood.initial_output(mean))
    assert shown.shape == mean.shape
    torch.testing.assert_close(shown[1:3], mean[1:3], rtol=0, atol=1e-9)
    torch.testing.assert_close(shown, mean, rtol=0, atol=0.0101)  # clamped at black and white


@each
def test_means_are_in_the_unit_interval(likelihood):
    mean = likelihood.mean(numbers(6, 3 * likelihood.outputs_per_pixel))
    assert mean.shape == (6, 3)
    assert 0 <= mean.min() <= mean.max() <= 1


@each_discrete
def test_means_are_expectations(likelihood):
    x = values(likelihood)
    outputs = numbers(6, 3 * likelihood.outputs_per_pixel)
    single = outputs.reshape(18, -1)
    chances = torch.stack([likelihood.log_prob(single, k.expand(18, 1)).exp() for k in x])
    expected = (chances * x[:, None]).sum(0) / x[-1]
    torch.testing.assert_close(likelihood.mean(outputs).flatten(), expected)


@each
def test_other_data_are_refused(likelihood):
    for value in OUTSIDE[likelihood.observes]:
        with pytest.raises(DataError):
            likelihood.require_support(torch.tensor([[0.0, value]]).double())
    likelihood.require_support(torch.tensor([[0.0, 1.0]]).double() * LARGEST[likelihood.observes])
    likelihood.require_support(images(likelihood, 5, 3))


@each
def test_what_the_encoder_sees_is_in_the_unit_interval(likelihood):
    x = images(likelihood, 50, 3)
    seen = likelihood.to_unit(x)
    assert seen.shape == x.shape
    assert 0 <= seen.min() <= seen.max() <= 1


@each
@torch.no_grad()
def test_independent_pixels_are_fitted_to_the_counts(likelihood):
    """No worse for the images that were counted than the same pixels are after a shift."""
    x = images(likelihood, 200, 3)
    level = (likelihood.to_unit(x) * LEVELS).round().long()
    counts = torch.nn.functional.one_hot(level, LEVELS + 1).sum(0).double()
    found = likelihood.independent_pixels(counts, x)
    assert found.shape == (200,)
    shifted = counts.roll(1, dims=1)
    assert found.mean() > likelihood.independent_pixels(shifted, x).mean()


@each
def test_its_model_takes_its_images(toy, case):
    vae = toy["vae"](likelihood=case[0], likelihood_scale=case[1])
    largest = {"binary": 1, "unit": 1, "levels": 16}[vae.likelihood.observes]
    x = torch.from_numpy(toy["binary"](5)).double() * largest
    vae.likelihood.require_support(x)
    outputs = vae.decode(vae.encode(x).mean)
    assert vae.likelihood.log_prob(outputs, x).shape == (5,)
    assert vae.likelihood.mean(outputs).shape == x.shape


@each
def test_only_a_learned_scale_is_held_up_and_only_normal_pixels_have_an_sd(likelihood, case):
    name, scale = case
    learned = likelihood.floored_scale()
    assert (learned is not None) == (LIKELIHOODS[name].floored and scale is None)
    if (sd := likelihood.normal_sd()) is not None:
        outputs, x = numbers(4, 3), images(likelihood, 4, 3)
        expected = torch.distributions.Normal(outputs, sd).log_prob(x).sum(-1)
        torch.testing.assert_close(likelihood.log_prob(outputs, x), expected)
