"""The aggregate posterior, against quadrature and its definition."""

import math

import numpy as np
import pytest
import torch
from vae import aggregate
from vae.aggregate import AggregatePosterior

IMAGES = 7


def encoded(toy, **changes):
    """A model and its aggregate posterior, with the posteriors of the images well apart."""
    vae, x = toy["vae"](**changes), torch.from_numpy(toy["binary"](IMAGES)).double()
    return vae, x, AggregatePosterior(vae, x)


def drawn(vae, x, samples):
    noise = torch.from_numpy(
        np.random.default_rng(0).normal(size=(samples, IMAGES, vae.latent_dim))
    )
    posterior = vae.encode(x)
    return posterior, posterior.sample(noise)[0]


@pytest.mark.parametrize(
    "changes",
    [
        {},
        {"posterior": "full_covariance"},
        {"posterior": "categorical", "prior": "uniform", "latent_dim": 4},
        {"second_latent_dim": 3, "kl": "sampled"},
    ],
)
@torch.no_grad()
def test_it_is_the_mean_of_the_posteriors_densities(toy, changes, monkeypatch):
    monkeypatch.setattr(aggregate, "IMAGES_AT_ONCE", 3)
    vae, x, found = encoded(toy, **changes)
    _, z = drawn(vae, x, 5)
    z = z.flatten(0, 1)
    # Every z under every image's posterior, one at a time.
    densities = torch.stack([vae.encode(x[n : n + 1]).log_prob(z[:, None])[:, 0] for n in range(7)])
    torch.testing.assert_close(found.log_prob(z), densities.exp().mean(0).log())


@pytest.mark.promise(
    "marginal_kl, mutual_information",
    "of these images, agrees with the exact value",
    "1-D z by quadrature: 5 standard errors",
)
@torch.no_grad()
def test_it_is_normalised_and_its_kl_is_that_of_quadrature(toy):
    vae, x, _ = encoded(toy, latent_dim=1)
    vae.posterior.mean.weight.mul_(2)
    vae.posterior.log_sd.weight.zero_()
    vae.posterior.log_sd.bias.fill_(-1.0)
    found = AggregatePosterior(vae, x)
    grid = torch.linspace(-15, 15, 20001, dtype=torch.float64)[:, None]
    density = found.log_prob(grid).exp()
    width = 30 / 20000
    assert density.sum().item() * width == pytest.approx(1, abs=1e-9)
    terms = density * (found.log_prob(grid) - vae.prior.log_prob(grid))
    expected = terms.sum().item() * width

    posterior, z = drawn(vae, x, 4000)
    estimates = found.marginal_terms(z)
    error = estimates.std(0).square().sum().sqrt().item() / 4000**0.5 / IMAGES
    assert expected > 0.1
    assert estimates.mean().item() == pytest.approx(expected, abs=5 * error)
    # What is left of the rate is the mutual information, which is no less than 0.
    assert 0 < posterior.kl().mean().item() - expected < math.log(IMAGES)


@torch.no_grad()
def test_posteriors_far_apart_tell_the_image_and_equal_ones_nothing(toy):
    vae, x, _ = encoded(toy)
    vae.posterior.mean.weight.mul_(50)
    vae.posterior.log_sd.weight.zero_()
    vae.posterior.log_sd.bias.fill_(-4.0)
    posterior, z = drawn(vae, x, 2000)
    found = AggregatePosterior(vae, x).marginal_terms(z)
    information = posterior.kl() - found.mean(0)
    assert information.mean().item() == pytest.approx(math.log(IMAGES), abs=0.1)

    for layer in (vae.posterior.mean, vae.posterior.log_sd):
        layer.weight.zero_()
        layer.bias.zero_()
    _, z = drawn(vae, x, 3)
    terms = AggregatePosterior(vae, x).marginal_terms(z)
    torch.testing.assert_close(terms, torch.zeros_like(terms), rtol=0, atol=1e-12)


def test_every_image_has_two_draws_or_more(toy, monkeypatch):
    assert encoded(toy)[2].draws == 10_000 // IMAGES
    monkeypatch.setattr(aggregate, "DRAWS", 3)
    assert encoded(toy)[2].draws == 2
