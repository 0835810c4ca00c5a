"""A VAE that is a linear-Gaussian model has an exact log p(x)."""

import numpy as np
import pytest
import torch

from elboflow.vae.measure.estimate import estimate_elbo, estimate_log_likelihood, image_noise
from elboflow.vae.measure.summary import mean_of
from elboflow.vae.model.exact_linear import is_linear_gaussian, linear_gaussian
from elboflow.vae.model.gaussian import Gaussian as Posterior
from elboflow.vae.model.linear_gaussian import maximum_likelihood
from elboflow.vae.noise import Purpose

LINEAR = {"likelihood": "gaussian", "decoder_layers": [], "encoder_layers": []}


def noise(first, count):
    generator = torch.Generator().manual_seed(first)
    return torch.randn(count, 6, 2, dtype=torch.float64, generator=generator)


def pixels(toy, count=6):
    return torch.from_numpy(toy["grey"](count)).double() / 16


def at_the_optimum(toy):
    """A VAE with the decoder of the closed form, its exact posterior, and images."""
    data = toy["grey"](400) / 16
    best = maximum_likelihood(data, 2)
    vae = toy["vae"](**LINEAR, scale_floor=1e-9)
    with torch.no_grad():
        vae.output.weight.copy_(torch.from_numpy(best.weights))
        vae.output.bias.copy_(torch.from_numpy(best.mean))
        vae.likelihood.scale.log_scale.fill_(0.5 * np.log(best.variance))
    x = data[:6]
    mean, covariance = best.posterior(x)
    log_sd = torch.from_numpy(0.5 * np.log(np.diag(covariance))).expand(6, 2)
    return vae, torch.from_numpy(x), Posterior(torch.from_numpy(mean), log_sd), best


def test_the_decoder_is_read_off_exactly(toy):
    vae, x, _, best = at_the_optimum(toy)
    found = linear_gaussian(vae)
    np.testing.assert_allclose(found.weights, best.weights, rtol=1e-12)
    assert found.variance == pytest.approx(best.variance, rel=1e-9)
    images = x.numpy()
    np.testing.assert_allclose(found.log_likelihood(images), best.log_likelihood(images), rtol=1e-9)


@pytest.mark.promise(
    "exact_log_likelihood",
    "exact in a linear Gaussian model",
    "torch's multivariate normal: relative 1e-7",
)
def test_log_likelihood_is_that_of_a_multivariate_normal(toy):
    vae, x = toy["vae"](**LINEAR), pixels(toy)
    weights, bias = vae.output.weight.detach(), vae.output.bias.detach()
    covariance = weights @ weights.T + vae.likelihood.scale().detach() ** 2 * torch.eye(12)
    expected = torch.distributions.MultivariateNormal(bias, covariance.double()).log_prob(x)
    np.testing.assert_allclose(linear_gaussian(vae).log_likelihood(x.numpy()), expected)


@pytest.mark.promise(
    "log_likelihood",
    "exact where q is the posterior",
    "linear Gaussian model: relative 1e-8",
)
def test_every_weight_is_the_likelihood_where_q_is_the_posterior(toy):
    vae, x, posterior, best = at_the_optimum(toy)
    exact = best.log_likelihood(x.numpy())
    weights = estimate_log_likelihood(vae, x, posterior, noise, 20, 5)
    np.testing.assert_allclose(weights.log_likelihood.detach(), exact, rtol=1e-8)
    np.testing.assert_allclose(weights.ess.detach(), 20, rtol=1e-8)


@pytest.mark.promise(
    "elbo, monte_carlo_error",
    "each image agrees with the exact value",
    "linear Gaussian model, 20,000 samples: 4.5 standard errors",
)
def test_the_estimated_elbo_is_the_exact_one_within_its_error(toy):
    vae, x = toy["vae"](**LINEAR), pixels(toy)
    posterior = vae.encode(x)
    found = estimate_elbo(vae, x, posterior, noise, 20_000, 5000)
    mean, variance = posterior.mean.detach(), (2 * posterior.log_sd).exp().detach()
    exact = linear_gaussian(vae).elbo(x.numpy(), mean.numpy(), variance.numpy())
    deviation = (found.elbo.detach().numpy() - exact) / found.monte_carlo_error.detach().numpy()
    assert np.abs(deviation).max() < 4.5


@pytest.mark.promise(
    "monte_carlo_error",
    "the interval of 1.96 errors around the mean ELBO holds the exact value in 95 % of cases",
    "linear Gaussian model, 40 images, 10 samples, other noise 1000 times: 92 to 98 %",
)
@torch.no_grad()
def test_the_monte_carlo_error_of_the_mean_covers(toy):
    vae, x = toy["vae"](**LINEAR), pixels(toy, 40)
    q = vae.encode(x)
    mean, variance = q.mean.numpy(), (2 * q.log_sd).exp().numpy()
    exact, held = linear_gaussian(vae).elbo(x.numpy(), mean, variance).mean(), 0
    for seed in range(1000):
        noise_of_seed = image_noise(vae, seed, Purpose.ELBO, range(40))
        found = estimate_elbo(vae, x, q, noise_of_seed, 10, 10)
        row = mean_of("elbo", found.elbo.numpy(), found.monte_carlo_error.numpy())
        held += abs(row.value - exact) < 1.96 * row.monte_carlo_error
    assert 920 < held < 980


@pytest.mark.parametrize(
    "changes",
    [
        {"decoder_layers": [8]},
        {"likelihood": "bernoulli"},
        {"likelihood": "continuous_bernoulli"},
        {"precision": "bf16"},
    ],
)
def test_other_models_have_none(toy, changes):
    vae = toy["vae"](**{**LINEAR, **changes})
    assert not is_linear_gaussian(vae)
    with pytest.raises(ValueError, match="exact values need a linear decoder"):
        linear_gaussian(vae)
