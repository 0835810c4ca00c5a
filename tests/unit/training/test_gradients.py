"""Gradient estimators against closed forms, each other, and the plain pathwise gradient.

x | z ~ N(z, 1), z ~ N(0, 1), q = N(mu, s^2): the ELBO has the derivatives x - 2 mu and 1/s - 2 s.
"""

import math
from types import SimpleNamespace

import pytest
import torch
from torch.distributions import MultivariateNormal, Normal

from elboflow.vae.model.gaussian import FullCovariance, Gaussian
from elboflow.vae.model.priors import StandardNormal
from elboflow.vae.spec import SpecError
from elboflow.vae.training.objectives import draw, elbo, importance_weighted, objective

X, MU, S = 1.2, 0.3, 0.8
STL, DREG = "sticking_the_landing", "doubly_reparametrised"
REPEATS = 4000


def noise(*shape, seed=1):
    generator = torch.Generator().manual_seed(seed)
    return torch.randn(*shape, dtype=torch.float64, generator=generator)


def linear_gaussian(encode, weights=None):
    """x | z ~ N(W z, I), z ~ N(0, I); W is the identity unless it is given."""
    unit = SimpleNamespace(log_prob=lambda mean, x: Normal(mean, 1.0).log_prob(x).sum(-1))
    decode = (lambda z: z) if weights is None else (lambda z: z @ weights.T)
    return SimpleNamespace(
        prior=StandardNormal(), likelihood=unit, encode=lambda x: encode, decode=decode
    )


def repeated(mu, s, samples, gradient, repeats=REPEATS, seed=1):
    """Draws for copies of one image, and the leaves (mu, s) of every copy, shape (repeats, 1)."""
    leaves = [torch.full((repeats, 1), v, dtype=torch.float64, requires_grad=True) for v in (mu, s)]
    vae = linear_gaussian(Gaussian(leaves[0], leaves[1].log()))
    x = torch.full((repeats, 1), X, dtype=torch.float64)
    return draw(vae, x, noise(samples, repeats, 1, seed=seed), gradient=gradient), leaves


def single_gradients(bound, draws_and_leaves):
    """The gradient with respect to (mu, s) of every copy by itself, shape (2, repeats)."""
    draws, leaves = draws_and_leaves
    return torch.cat(torch.autograd.grad(bound(draws).objective.sum(), leaves), 1).T


def sampled_elbo(draws):
    return elbo(draws, "sampled")


@pytest.mark.parametrize("gradient", ["pathwise", STL])
def test_elbo_gradients_have_their_closed_form(gradient):
    found = single_gradients(sampled_elbo, repeated(MU, S, 1, gradient))
    formula = torch.tensor([X - 2 * MU, 1 / S - 2 * S], dtype=torch.float64)
    assert formula.tolist() == pytest.approx([0.6, -0.35])
    error = found.std(1) / REPEATS**0.5
    assert ((found.mean(1) - formula).abs() < 5 * error).all()


def test_sticking_the_landing_goes_through_the_sample_alone():
    """d log w / dz = (x - z) - z + (z - mu) / s^2, times dz/dmu = 1 and dz/ds = epsilon."""
    epsilon = noise(1, 100, 1)[0, :, 0]
    z = MU + S * epsilon
    through_z = (X - z) - z + (z - MU) / S**2
    found = single_gradients(sampled_elbo, repeated(MU, S, 1, STL, repeats=100))
    torch.testing.assert_close(found, torch.stack([through_z, epsilon * through_z]))


def test_at_the_posterior_sticking_the_landing_is_zero_for_every_sample():
    exact = X / 2, 0.5**0.5
    assert single_gradients(sampled_elbo, repeated(*exact, 1, STL)).abs().max() < 1e-12
    pathwise = single_gradients(sampled_elbo, repeated(*exact, 1, "pathwise"))
    assert pathwise.std(1).min() > 0.1


def test_at_a_posterior_of_full_covariance_it_is_zero_as_well():
    weights, x = noise(4, 3), noise(5, 4, seed=2)
    covariance = torch.linalg.inv(torch.eye(3).double() + weights.T @ weights)
    mean = (x @ weights @ covariance).requires_grad_()
    factor = torch.linalg.cholesky(covariance).expand(5, 3, 3).clone().requires_grad_()
    vae = linear_gaussian(FullCovariance(mean, factor), weights)
    draws = draw(vae, x, noise(20, 5, 3), gradient=STL)
    cov_x = torch.eye(4).double() + weights @ weights.T
    evidence = MultivariateNormal(torch.zeros(4).double(), cov_x).log_prob(x)
    torch.testing.assert_close(draws.log_weights, evidence.expand(20, 5))
    for gradient in torch.autograd.grad(elbo(draws, "sampled").objective.sum(), (mean, factor)):
        assert gradient.abs().max() < 1e-11


def test_importance_weighted_is_the_weighted_sum_of_log_weight_gradients():
    draws, leaves = repeated(MU, S, 8, "pathwise", repeats=3)
    found = torch.autograd.grad(
        importance_weighted(draws).objective.sum(), leaves, retain_graph=True
    )
    weights = draws.log_weights.softmax(0).detach()
    expected = torch.autograd.grad((weights * draws.log_weights).sum(), leaves)
    torch.testing.assert_close(found, expected)


def test_doubly_reparametrised_weighs_the_sample_by_squared_weights():
    """sum_k w_k^2 d log w_k / dz_k times dz_k / d(mu, s), with normalised weights w_k."""
    epsilon = noise(8, 100, 1)[..., 0]
    z = MU + S * epsilon
    log_weights = (
        Normal(z, 1.0).log_prob(torch.tensor(X))
        + Normal(0.0, 1.0).log_prob(z)
        - Normal(MU, S).log_prob(z)
    )
    through_z = log_weights.softmax(0).square() * ((X - z) - z + (z - MU) / S**2)
    expected = torch.stack([through_z.sum(0), (epsilon * through_z).sum(0)])
    found = single_gradients(importance_weighted, repeated(MU, S, 8, DREG, repeats=100))
    torch.testing.assert_close(found, expected)


def test_doubly_reparametrised_has_the_mean_of_the_plain_gradient_and_less_variance():
    plain = single_gradients(importance_weighted, repeated(MU, S, 10, "pathwise"))
    double = single_gradients(importance_weighted, repeated(MU, S, 10, DREG))
    difference = double - plain
    error = difference.std(1) / REPEATS**0.5
    assert (difference.mean(1).abs() < 5 * error).all()
    assert (double.var(1) < 0.5 * plain.var(1)).all()


def test_sticking_the_landing_of_the_weighted_bound_would_be_biased():
    """Which is why DReG weighs once more: without, the mean over many samples is another."""
    plain = single_gradients(importance_weighted, repeated(MU, S, 10, "pathwise"))
    single = single_gradients(importance_weighted, repeated(MU, S, 10, STL))
    difference = single - plain
    assert (difference.mean(1).abs() > 5 * difference.std(1) / REPEATS**0.5).any()


def gradients_of(toy, kind, gradient, samples, **changes):
    """By name, of a small VAE on four images."""
    spec = toy["spec"](
        objective=kind, gradient=gradient, kl="sampled", training_samples=samples, **changes
    )
    vae, x = toy["vae"](**changes), torch.from_numpy(toy["binary"](4)).double()
    objective(vae, spec, x, noise(samples, 4, 2), 1.0).objective.sum().backward()
    return {name: parameter.grad for name, parameter in vae.named_parameters()}


@pytest.mark.parametrize("prior", ["standard_normal", "mixture", "vamp"])
@pytest.mark.parametrize("posterior", ["gaussian", "full_covariance"])
def test_with_one_sample_the_two_are_the_same(toy, posterior, prior):
    changes = {"posterior": posterior, "prior": prior}
    single = gradients_of(toy, "elbo", STL, 1, **changes)
    double = gradients_of(toy, "importance_weighted", DREG, 1, **changes)
    torch.testing.assert_close(single, double)


@pytest.mark.parametrize(("kind", "gradient"), [("elbo", STL), ("importance_weighted", DREG)])
def test_the_decoder_and_the_prior_get_the_plain_gradient(toy, kind, gradient):
    plain = gradients_of(toy, kind, "pathwise", 5, prior="mixture")
    other = gradients_of(toy, kind, gradient, 5, prior="mixture")
    for name, value in plain.items():
        if name.startswith(("decoder", "output", "prior")):
            torch.testing.assert_close(other[name], value)
        else:
            assert not torch.allclose(other[name], value), name


def test_no_value_depends_on_the_gradient(toy):
    vae, x = toy["vae"](), torch.from_numpy(toy["binary"](4)).double()
    bounds = [
        importance_weighted(draw(vae, x, noise(5, 4, 2), gradient=gradient)).objective
        for gradient in ("pathwise", STL, DREG)
    ]
    torch.testing.assert_close(bounds[0], bounds[1])
    torch.testing.assert_close(bounds[0], bounds[2])


@pytest.mark.parametrize("free", [0.0, 0.5, 2.0])
def test_free_bits_cost_what_the_smallest_dimensions_do_not_reach(free):
    mean = torch.tensor([[0.1, 1.5], [3.0, -0.2]], dtype=torch.float64, requires_grad=True)
    log_sd = torch.tensor([[0.1, -0.5], [-1.0, 0.0]], dtype=torch.float64)
    draws = draw(linear_gaussian(Gaussian(mean, log_sd)), noise(2, 2), noise(7, 2, 2))
    bound = elbo(draws, "analytic", beta=1.5, free_bits=free)
    kl = 0.5 * (mean**2 + torch.exp(2 * log_sd) - 1 - 2 * log_sd)
    expected = draws.log_likelihood.mean(0) - 1.5 * kl.clamp(min=free).sum(-1)
    torch.testing.assert_close(bound.objective, expected)
    torch.testing.assert_close(bound.rate, kl.sum(-1))
    (found,) = torch.autograd.grad(-bound.objective.sum() - bound.distortion.sum(), mean)
    torch.testing.assert_close(found, torch.where(kl > free, 1.5 * mean, 0.0))


def test_free_bits_need_a_kl_of_each_dimension():
    q = FullCovariance(noise(2, 2), torch.eye(2).double().expand(2, 2, 2))
    draws = draw(linear_gaussian(q), noise(2, 2), noise(1, 2, 2))
    with pytest.raises(SpecError, match="no analytic KL of each dimension"):
        elbo(draws, "analytic", free_bits=0.1)


def test_the_specification_chooses_free_bits(toy):
    vae, x = toy["vae"](), torch.from_numpy(toy["binary"](4)).double()
    free = objective(vae, toy["spec"](free_bits=5.0), x, noise(1, 4, 2), 1.0)
    kl = vae.encode(x).kl_per_dimension()
    assert kl.max() < 5, "so that all of it is free"
    torch.testing.assert_close(free.objective, -free.distortion - 2 * 5.0)
    assert math.isclose(free.rate.sum().item(), kl.sum().item())
