"""Every likelihood is normalised, has the right gradient, and agrees with torch.distributions."""

import itertools
import math

import pytest
import torch
from torch import distributions as reference
from torch.autograd import gradcheck

from elboflow.vae.data import DataError
from elboflow.vae.model.densities import Bernoulli, ContinuousBernoulli, Gaussian, Scale
from elboflow.vae.model.distributions import log_mean_exponential, mean_of_exponential
from elboflow.vae.model.level_likelihoods import Categorical, DiscretisedLogistic
from elboflow.vae.model.likelihoods import LIKELIHOODS, make_likelihood
from elboflow.vae.spec import SpecError

LEVELS = 4
ALL = [
    Bernoulli(),
    ContinuousBernoulli(),
    Gaussian(),
    Gaussian(0.2),
    DiscretisedLogistic(LEVELS),
    DiscretisedLogistic(LEVELS, 0.03),
    Categorical(LEVELS),
]
DISCRETE = [likelihood for likelihood in ALL if likelihood.discrete]


def name(likelihood):
    scale = getattr(likelihood, "scale", None)
    given = "" if scale is None or scale.learned else "_given_scale"
    return type(likelihood).__name__ + given


@pytest.fixture(autouse=True)
def in_float64():
    for likelihood in ALL:
        likelihood.double()


def numbers(*shape, seed=1):
    return torch.randn(*shape, dtype=torch.float64, generator=torch.Generator().manual_seed(seed))


def images(likelihood, count, pixels):
    uniform = torch.rand(count, pixels, generator=torch.Generator().manual_seed(2)).double()
    largest = {"binary": 1, "unit": None, "levels": LEVELS}[likelihood.observes]
    return uniform if largest is None else (uniform * (largest + 1)).floor()


@pytest.mark.promise(
    "distortion, bits_per_dim",
    "probabilities of all images sum to 1",
    "each discrete likelihood, all images of three pixels: 1e-12",
)
@pytest.mark.parametrize("likelihood", DISCRETE, ids=name)
def test_probabilities_of_all_images_sum_to_one(likelihood):
    pixels, size = 3, 2 if likelihood.observes == "binary" else LEVELS + 1
    every = torch.tensor(list(itertools.product(range(size), repeat=pixels))).double()
    outputs = numbers(pixels * likelihood.outputs_per_pixel)
    total = likelihood.log_prob(outputs.expand(len(every), -1), every).exp().sum()
    assert total.item() == pytest.approx(1, abs=1e-12)


@pytest.mark.promise(
    "distortion",
    "the density integrates to 1",
    "continuous Bernoulli, trapezoidal rule: 1e-7",
)
@pytest.mark.parametrize("output", [-30.0, -2.0, -0.19, -1e-3, 0.0, 1e-9, 0.21, 5.0, 80.0])
def test_the_continuous_bernoulli_integrates_to_one_with_its_mean(output):
    x = torch.linspace(0, 1, 200_001, dtype=torch.float64)[:, None]
    outputs = torch.full_like(x, output)
    density = ContinuousBernoulli().log_prob(outputs, x).exp()
    assert torch.trapezoid(density, x[:, 0]).item() == pytest.approx(1, abs=1e-7)
    mean = torch.trapezoid(density * x[:, 0], x[:, 0]).item()
    assert ContinuousBernoulli().mean(outputs[0]).item() == pytest.approx(mean, abs=1e-7)


@pytest.mark.promise(
    "distortion",
    "the density integrates to 1",
    "Gaussian pixels, trapezoidal rule: 1e-12",
)
@pytest.mark.parametrize("scale", [0.02, 0.2, 3.0])
def test_the_gaussian_integrates_to_one(scale):
    x = torch.linspace(-12 * scale, 12 * scale, 20_001, dtype=torch.float64)[:, None] + 0.4
    density = Gaussian(scale).double().log_prob(torch.full_like(x, 0.4), x).exp()
    assert torch.trapezoid(density, x[:, 0]).item() == pytest.approx(1, abs=1e-12)


@pytest.mark.parametrize("likelihood", ALL, ids=name)
def test_gradients_are_those_of_finite_differences(likelihood):
    x = images(likelihood, 4, 3)
    outputs = numbers(2, 4, 3 * likelihood.outputs_per_pixel, seed=3).requires_grad_()
    parameters = list(likelihood.parameters())
    assert gradcheck(lambda *changed: likelihood.log_prob(changed[0], x), (outputs, *parameters))


@pytest.mark.parametrize("likelihood", ALL, ids=name)
def test_samples_of_z_are_a_leading_axis(likelihood):
    x, outputs = images(likelihood, 4, 3), numbers(2, 4, 3 * likelihood.outputs_per_pixel)
    both = likelihood.log_prob(outputs, x)
    assert both.shape == (2, 4)
    torch.testing.assert_close(both[1], likelihood.log_prob(outputs[1], x))


def test_binary_and_unit_pixels_agree_with_torch():
    outputs, binary = numbers(5, 7) * 20, images(Bernoulli(), 5, 7)
    expected = reference.Bernoulli(logits=outputs).log_prob(binary).sum(-1)
    torch.testing.assert_close(Bernoulli().log_prob(outputs, binary), expected)
    unit = images(Gaussian(), 5, 7)
    expected = reference.Normal(outputs, 0.2).log_prob(unit).sum(-1)
    torch.testing.assert_close(Gaussian(0.2).double().log_prob(outputs, unit), expected)
    outputs = numbers(5, 7) * 3  # torch clamps probabilities near 0 and 1
    expected = reference.ContinuousBernoulli(logits=outputs, lims=(0.4999, 0.5001))
    torch.testing.assert_close(
        ContinuousBernoulli().log_prob(outputs, unit), expected.log_prob(unit).sum(-1), rtol=1e-6,
        atol=1e-6,
    )  # fmt: skip


def test_levels_agree_with_torch():
    outputs, x = numbers(5, 7 * (LEVELS + 1)), images(Categorical(LEVELS), 5, 7)
    expected = reference.Categorical(logits=outputs.view(5, 7, -1)).log_prob(x).sum(-1)
    torch.testing.assert_close(Categorical(LEVELS).log_prob(outputs, x), expected)
    outputs, scale = numbers(5, 7), 0.1

    def below(edge):  # the logistic distribution function, its ends open
        inside = torch.sigmoid((edge / LEVELS - outputs) / scale)
        return torch.where(edge < 0, 0.0, torch.where(edge > LEVELS, 1.0, inside))

    expected = (below(x + 0.5) - below(x - 0.5)).log().sum(-1)
    found = DiscretisedLogistic(LEVELS, scale).double().log_prob(outputs, x)
    torch.testing.assert_close(found, expected, rtol=1e-6, atol=1e-6)


def test_the_log_normaliser_is_that_of_the_paper():
    """log C(lambda), C = 2 artanh(1 - 2 lambda) / (1 - 2 lambda), and 2 at lambda = 1/2."""
    probability = torch.tensor([0.01, 0.3, 0.49, 0.7, 0.999], dtype=torch.float64)
    gap = 1 - 2 * probability
    expected = torch.log(2 * torch.atanh(gap) / gap) + torch.log1p(-probability)
    torch.testing.assert_close(-log_mean_exponential(torch.logit(probability)), expected)
    zero = torch.zeros(1, dtype=torch.float64)
    assert -log_mean_exponential(zero).item() == pytest.approx(math.log(2) + math.log(0.5))


@pytest.mark.parametrize("dtype", [torch.float32, torch.float64])
def test_series_and_formula_meet_and_extremes_are_finite(dtype):
    edge = torch.tensor([0.2 * (1 - 1e-6), 0.2 * (1 + 1e-6)], dtype=dtype)
    close = {"rtol": 0, "atol": 3e-7}
    for function in (log_mean_exponential, mean_of_exponential):
        for sign in (-1, 1):
            below, above = function(sign * edge)
            torch.testing.assert_close(below, above, **close)
    extremes = torch.tensor([-1e4, -1e-30, 0.0, 1e-30, 1e4], dtype=dtype, requires_grad=True)
    (gradient,) = torch.autograd.grad(log_mean_exponential(extremes).sum(), extremes)
    assert torch.isfinite(gradient).all()
    torch.testing.assert_close(gradient, mean_of_exponential(extremes), rtol=1e-5, atol=1e-6)


def test_a_rare_level_keeps_its_probability_in_float32():
    """e^-90: the difference of two sigmoids is 0 in float32, and its logarithm minus infinity."""
    likelihood = DiscretisedLogistic(255, 0.01)
    value = likelihood.log_prob(torch.tensor([[0.0]]), torch.tensor([[230.0]]))
    # Far above the output the bin has e^-(low edge / s) (1 - e^-(1 / 255 s)).
    expected = -(229.5 / 255) / 0.01 + math.log(-math.expm1(-1 / 2.55))
    assert value.item() == pytest.approx(expected, rel=1e-5)


@pytest.mark.parametrize("likelihood", ALL, ids=name)
def test_an_untrained_decoder_shows_the_training_mean(likelihood):
    mean = torch.tensor([0.0, 0.2, 0.5, 1.0], dtype=torch.float64)
    shown = likelihood.mean(likelihood.initial_output(mean))
    assert shown.shape == mean.shape
    torch.testing.assert_close(shown[1:3], mean[1:3], rtol=0, atol=1e-9)
    torch.testing.assert_close(shown, mean, rtol=0, atol=0.0101)  # clamped at black and white


@pytest.mark.parametrize("likelihood", ALL, ids=name)
def test_means_are_expectations_in_the_unit_interval(likelihood):
    outputs = numbers(6, 3 * likelihood.outputs_per_pixel)
    mean = likelihood.mean(outputs)
    assert mean.shape == (6, 3)
    assert 0 <= mean.min() <= mean.max() <= 1
    if likelihood.discrete:
        size = 2 if likelihood.observes == "binary" else LEVELS + 1
        single = outputs.reshape(18, -1)
        chances = torch.stack(
            [likelihood.log_prob(single, torch.full((18, 1), float(k)).double()).exp()
             for k in range(size)]
        )  # fmt: skip
        expected = (chances * torch.arange(size)[:, None]).sum(0) / (size - 1)
        torch.testing.assert_close(mean.flatten(), expected)


@pytest.mark.parametrize(
    ("likelihood", "pixels", "message"),
    [
        (Bernoulli(), [0.0, 0.5], "binary pixels only"),
        (ContinuousBernoulli(), [0.0, 16.0], r"ContinuousBernoulli is a density of pixels in \[0"),
        (Gaussian(), [-0.1, 1.0], r"Gaussian is a density of pixels in \[0, 1\]"),
        (Gaussian(), [0.5, math.nan], r"Gaussian is a density of pixels in \[0, 1\]"),
        (Categorical(LEVELS), [0.5, 1.0], "whole grey levels 0 to 4"),
        (DiscretisedLogistic(LEVELS), [5.0, 1.0], "whole grey levels 0 to 4"),
    ],
)
def test_other_data_are_refused(likelihood, pixels, message):
    with pytest.raises(DataError, match=message):
        likelihood.require_support(torch.tensor([pixels]))
    likelihood.require_support(torch.tensor([[0.0, 1.0]]))


def test_a_learned_scale_stays_above_its_floor_and_can_leave_it():
    scale = Scale(None, floor=0.01)
    with torch.no_grad():
        scale.log_scale.fill_(-9.0)
    assert scale().item() == pytest.approx(0.01, rel=1e-3)
    scale().backward()
    assert scale.log_scale.grad is not None and scale.log_scale.grad.item() > 0
    assert not list(Scale(0.3).parameters())
    assert Scale(0.3)().item() == pytest.approx(0.3)


@pytest.mark.parametrize("kind", LIKELIHOODS)
def test_every_name_makes_a_model_that_takes_its_images(toy, kind):
    vae = toy["vae"](likelihood=kind)
    largest = {"binary": 1, "unit": 1, "levels": 16}[vae.likelihood.observes]
    x = torch.from_numpy(toy["binary"](5)).double() * largest
    vae.likelihood.require_support(x)
    outputs = vae.decode(vae.encode(x).mean)
    assert vae.likelihood.log_prob(outputs, x).shape == (5,)
    assert vae.likelihood.mean(outputs).shape == x.shape


def test_an_unknown_name_is_refused(toy):
    with pytest.raises(SpecError, match="choose from bernoulli"):
        make_likelihood(toy["spec"](likelihood="poisson"), toy["vae"]().shape)
