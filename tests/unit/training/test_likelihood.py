"""Likelihoods against torch.distributions, closed forms and their extremes."""

import math

import pytest
import torch
from torch import distributions as reference

from elboflow.vae.data import DataError
from elboflow.vae.model.binary_likelihoods import Bernoulli
from elboflow.vae.model.distributions import log_mean_exponential, mean_of_exponential
from elboflow.vae.model.level_likelihoods import Categorical, DiscretisedLogistic
from elboflow.vae.model.likelihood import Scale
from elboflow.vae.model.likelihoods import make_likelihood
from elboflow.vae.model.unit_likelihoods import ContinuousBernoulli, Gaussian
from elboflow.vae.spec import SpecError

LEVELS = 4


def numbers(*shape, seed=1):
    return torch.randn(*shape, dtype=torch.float64, generator=torch.Generator().manual_seed(seed))


def uniform(*shape):
    return torch.rand(*shape, generator=torch.Generator().manual_seed(2)).double()


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


def test_binary_and_unit_pixels_agree_with_torch():
    outputs, binary = numbers(5, 7) * 20, (uniform(5, 7) * 2).floor()
    expected = reference.Bernoulli(logits=outputs).log_prob(binary).sum(-1)
    torch.testing.assert_close(Bernoulli().log_prob(outputs, binary), expected)
    unit = uniform(5, 7)
    expected = reference.Normal(outputs, 0.2).log_prob(unit).sum(-1)
    torch.testing.assert_close(Gaussian(0.2).double().log_prob(outputs, unit), expected)
    outputs = numbers(5, 7) * 3  # torch clamps probabilities near 0 and 1
    expected = reference.ContinuousBernoulli(logits=outputs, lims=(0.4999, 0.5001))
    found = ContinuousBernoulli().log_prob(outputs, unit)
    torch.testing.assert_close(found, expected.log_prob(unit).sum(-1), rtol=1e-6, atol=1e-6)


def test_levels_agree_with_torch():
    outputs, x = numbers(5, 7 * (LEVELS + 1)), (uniform(5, 7) * (LEVELS + 1)).floor()
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
def test_other_data_are_refused_in_words(likelihood, pixels, message):
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


def test_an_unknown_name_is_refused(toy):
    with pytest.raises(SpecError, match="choose from bernoulli"):
        make_likelihood(toy["spec"](likelihood="poisson"), toy["vae"]().shape)


@pytest.mark.parametrize("pixels", [13, 127, 784])
@pytest.mark.parametrize("dtype", [torch.float32, torch.float64])
def test_bernoulli_is_the_same_with_a_gradient_and_without_also_of_huge_logits(pixels, dtype):
    logits = torch.tensor([1.0, 5.0, 10.0, 30.0, 300.0])[:, None, None] * numbers(5, 3, pixels)
    x = (uniform(3, pixels) < 0.5).to(dtype)
    with torch.no_grad():
        found = Bernoulli().log_prob(logits.to(dtype), x)
    exact = Bernoulli().log_prob(logits.to(dtype).double(), x.double())
    close = {
        torch.float32: {"rtol": 1e-6, "atol": 1e-4},
        torch.float64: {"rtol": 1e-13, "atol": 1e-12},
    }
    torch.testing.assert_close(found.double(), exact, **close[dtype])


def test_bernoulli_of_an_output_that_is_not_finite_is_not_either():
    logits = torch.tensor([[torch.inf, -torch.inf, torch.nan], [torch.inf, -torch.inf, 0.0]])
    with torch.no_grad():
        wrong = Bernoulli().log_prob(logits, torch.tensor([[0.0, 1.0, 1.0]]))
        right = Bernoulli().log_prob(logits[1], torch.tensor([[1.0, 0.0, 1.0]]))
    assert wrong[0].isnan() and wrong[1] == -torch.inf
    assert right.item() == pytest.approx(-math.log(2))
