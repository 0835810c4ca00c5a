"""Objectives against closed forms: x | z ~ N(z, 1), z ~ N(0, 1), q = N(mu, s^2)."""

import math
from types import SimpleNamespace

import pytest
import torch
from torch.distributions import Normal

from elboflow.vae.model.gaussian import Gaussian
from elboflow.vae.model.priors import StandardNormal
from elboflow.vae.training.objectives import draw, elbo, importance_weighted, objective

X, MU, S = 1.2, 0.3, 0.8


class UnitNormal:
    """x | z ~ N(z, 1)."""

    def log_prob(self, output, x):
        return Normal(output, 1.0).log_prob(x).sum(-1)


def linear_gaussian(mu: torch.Tensor, s: torch.Tensor) -> SimpleNamespace:
    return SimpleNamespace(
        prior=StandardNormal(),
        likelihood=UnitNormal(),
        encode=lambda x: Gaussian(mu.expand(len(x), 1), s.log().expand(len(x), 1)),
        decode=lambda z: z,
    )


def draws_of(mu, s, images, samples=1, seed=1):
    """`images` copies of the observation with `samples` draws each."""
    generator = torch.Generator().manual_seed(seed)
    noise = torch.randn(samples, images, 1, dtype=torch.float64, generator=generator)
    x = torch.full((images, 1), X, dtype=torch.float64)
    return draw(linear_gaussian(mu, s), x, noise)


def parameters():
    return (
        torch.tensor(MU, dtype=torch.float64, requires_grad=True),
        torch.tensor(S, dtype=torch.float64, requires_grad=True),
    )


def exact_elbo(mu: float, s: float) -> float:
    reconstruction = -0.5 * math.log(2 * math.pi) - 0.5 * ((X - mu) ** 2 + s**2)
    return reconstruction - 0.5 * (mu**2 + s**2 - 1 - 2 * math.log(s))


@pytest.mark.parametrize("kl", ["analytic", "sampled"])
def test_elbo_and_its_pathwise_gradient_have_their_closed_forms(kl):
    mu, s = parameters()
    values = elbo(draws_of(mu, s, 1), kl).elbo  # shapes
    assert values.shape == (1,)
    gradients, bounds = [], []
    for seed in range(40):
        mu, s = parameters()
        bound = elbo(draws_of(mu, s, 5000, seed=seed), kl).objective.mean()
        gradients.append(torch.stack(torch.autograd.grad(bound, (mu, s))))
        bounds.append(bound.detach())
    gradient, error = torch.stack(gradients).mean(0), torch.stack(gradients).std(0) / 40**0.5
    formula = torch.tensor([X - 2 * MU, 1 / S - 2 * S], dtype=torch.float64)
    assert formula.tolist() == pytest.approx([0.6, -0.35])
    assert ((gradient - formula).abs() < 5 * error).all()
    bound, error = torch.stack(bounds).mean(), torch.stack(bounds).std() / 40**0.5
    assert abs(bound.item() - exact_elbo(MU, S)) < 5 * error


def test_beta_weighs_the_rate_alone():
    mu, s = parameters()
    plain, weighted = (elbo(draws_of(mu, s, 3), "analytic", beta) for beta in (1.0, 4.0))
    torch.testing.assert_close(plain.objective, plain.elbo)
    torch.testing.assert_close(weighted.objective, plain.elbo - 3 * plain.rate)
    torch.testing.assert_close(weighted.elbo, plain.elbo)


def test_importance_weighted_with_one_sample_is_the_sampled_elbo():
    mu, s = parameters()
    draws = draws_of(mu, s, 50)
    torch.testing.assert_close(importance_weighted(draws).objective, elbo(draws, "sampled").elbo)


@pytest.mark.promise(
    "log_likelihood",
    "lower bound in expectation, nearer with more samples",
    "normal z and x, 1, 5 and 50 samples, 4000 times: 5 standard errors",
)
def test_bounds_rise_with_samples_towards_the_evidence():
    mu, s = parameters()
    exact = Normal(0.0, 2**0.5).log_prob(torch.tensor(X)).item()
    bounds, errors = [], []
    for samples in (1, 5, 50):
        bound = importance_weighted(draws_of(mu, s, 4000, samples)).objective.detach()
        bounds.append(bound.mean().item())
        errors.append(bound.std().item() / 4000**0.5)
    assert bounds[0] + 3 * errors[0] < bounds[1] < bounds[2] < exact + 5 * errors[2]


def test_importance_weighted_gradient_is_the_weighted_mean_of_log_weight_gradients():
    mu, s = parameters()
    draws = draws_of(mu, s, 1, samples=20)
    bound = torch.autograd.grad(importance_weighted(draws).objective.sum(), mu, retain_graph=True)
    normalised = draws.log_weights.softmax(0).detach()
    by_hand = torch.autograd.grad((normalised * draws.log_weights).sum(), mu)
    torch.testing.assert_close(bound, by_hand)


def test_at_the_exact_posterior_every_weight_is_the_evidence():
    exact_mu, exact_s = (
        torch.tensor(X / 2, dtype=torch.float64),
        torch.tensor(0.5**0.5, dtype=torch.float64),
    )
    weights = draws_of(exact_mu, exact_s, 2, samples=10).log_weights
    evidence = Normal(0.0, 2**0.5).log_prob(torch.tensor(X)).item()
    assert (weights - evidence).abs().max() < 1e-7


def test_specification_chooses_the_objective(toy):
    vae, x = toy["vae"](), torch.from_numpy(toy["binary"](4)).double()
    noise = torch.randn(3, 4, 2, dtype=torch.float64, generator=torch.Generator().manual_seed(1))
    weighted = objective(vae, toy["spec"](objective="importance_weighted"), x, noise, 1.0)
    plain = objective(vae, toy["spec"](), x, noise, 1.0)
    torch.testing.assert_close(
        weighted.objective, importance_weighted(draw(vae, x, noise)).objective
    )
    torch.testing.assert_close(plain.objective, elbo(draw(vae, x, noise), "analytic").objective)
    assert (weighted.objective > elbo(draw(vae, x, noise), "sampled").elbo).all()
