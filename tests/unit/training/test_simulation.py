import math

import pytest
import torch

from elboflow.vae.model.densities import Bernoulli, ContinuousBernoulli, Gaussian
from elboflow.vae.model.level_likelihoods import Categorical, DiscretisedLogistic
from elboflow.vae.model.simulation import sample, simulate
from elboflow.vae.noise import Purpose, uniforms, words

COUNT, LEVELS = 40_000, 5


def drawn(likelihood, outputs):
    """Many draws of one pixel with those outputs, shape (COUNT,)."""
    uniform = uniforms(words(0, Purpose.AIS_SIMULATION, [(0, 0)], COUNT, 1))[0]
    outputs = torch.tensor(outputs, dtype=torch.float64).expand(COUNT, -1)
    return sample(likelihood.double(), outputs, uniform)[:, 0]


@pytest.mark.parametrize(
    ("likelihood", "outputs", "values"),
    [
        (Bernoulli(), [0.7], 2),
        (DiscretisedLogistic(LEVELS, 0.2), [0.8], LEVELS + 1),
        (Categorical(LEVELS), [0.1, -1.0, 0.5, 2.0, 0.0, 0.3], LEVELS + 1),
    ],
)
def test_values_have_the_frequencies_of_the_likelihood(likelihood, outputs, values):
    found = drawn(likelihood, outputs)
    x = torch.arange(values, dtype=torch.float64)[:, None]
    shown = torch.tensor(outputs, dtype=torch.float64).expand(values, -1)
    expected = likelihood.log_prob(shown, x).exp()
    assert expected.sum().item() == pytest.approx(1)
    frequency = (found == x).double().mean(1)
    assert ((frequency - expected).abs() < 5 * (expected * (1 - expected) / COUNT).sqrt()).all()


@pytest.mark.parametrize(
    ("likelihood", "outputs"),
    [
        (ContinuousBernoulli(), [3.0]),
        (ContinuousBernoulli(), [-40.0]),
        (ContinuousBernoulli(), [0.0]),
        (Gaussian(0.3), [0.4]),
    ],
)
def test_densities_are_those_of_the_likelihood(likelihood, outputs):
    """The CDF of the density, by the trapezoid rule, at the quartiles of the draws."""
    found = drawn(likelihood, outputs)
    low, high = (-2, 3) if isinstance(likelihood, Gaussian) else (0, 1)
    for share in (0.25, 0.5, 0.75):
        x = torch.linspace(low, found.quantile(share).item(), 20_001, dtype=torch.float64)[:, None]
        shown = torch.tensor(outputs, dtype=torch.float64).expand(len(x), -1)
        below = torch.trapezoid(likelihood.log_prob(shown, x).exp(), x[:, 0]).item()
        assert below == pytest.approx(share, abs=5 * math.sqrt(share * (1 - share) / COUNT))
    assert found.min() >= low
    assert found.max() <= high


def test_an_image_is_a_function_of_its_number(toy):
    vae = toy["vae"]()
    z, x = simulate(vae, 1, range(5))
    other_z, other_x = simulate(vae, 1, [3, 1])
    assert torch.equal(other_z, z[[3, 1]])
    assert torch.equal(other_x, x[[3, 1]])
    vae.likelihood.require_support(x)
    assert not torch.equal(simulate(vae, 2, range(5))[1], x)
