"""A discrete z: sums over its values against each other, torch, and the definition of log p(x)."""

import itertools
import math

import pytest
import torch
from torch.distributions import Categorical as Reference
from torch.distributions import kl_divergence

from elboflow.vae.measure.estimate import estimate_elbo, estimate_log_likelihood, image_noise
from elboflow.vae.model.categorical import Categorical, Uniform, one_hot
from elboflow.vae.model.enumeration import exact_log_likelihood, log_likelihoods
from elboflow.vae.noise import Purpose
from elboflow.vae.training.objectives import best_elbo, objective

VALUES = 4
DISCRETE = {"posterior": "categorical", "prior": "uniform", "latent_dim": VALUES}


def noise(*shape, seed=1):
    generator = torch.Generator().manual_seed(seed)
    return torch.randn(*shape, dtype=torch.float64, generator=generator)


def posterior():
    return Categorical(noise(3, VALUES).log_softmax(-1))


def model(toy):
    return toy["vae"](**DISCRETE), torch.from_numpy(toy["binary"](5)).double()


def test_probabilities_and_kl_are_torchs():
    q = posterior()
    reference = Reference(logits=q.log_probabilities)
    every = torch.eye(VALUES, dtype=torch.float64)[:, None].expand(-1, 3, -1)
    torch.testing.assert_close(q.log_prob(every).exp().sum(0), torch.ones(3).double())
    torch.testing.assert_close(q.log_prob(every), reference.logits.T)
    uniform = Reference(probs=torch.full((3, VALUES), 1 / VALUES).double())
    torch.testing.assert_close(q.kl(), kl_divergence(reference, uniform))
    torch.testing.assert_close(Uniform().log_prob(every), uniform.logits.T)


def test_draws_have_the_probabilities():
    q = posterior()
    z, log_q = q.sample(noise(40_000, 3, VALUES))
    assert set(z.unique().tolist()) == {0.0, 1.0}
    assert (z.sum(-1) == 1).all()
    error = (q.mean * (1 - q.mean) / len(z)).sqrt()
    assert ((z.mean(0) - q.mean).abs() < 5 * error).all()
    torch.testing.assert_close(log_q, q.log_prob(z))
    shares = Uniform().sample(noise(40_000, VALUES)).mean(0)
    assert ((shares - 1 / VALUES).abs() < 5 * (0.25 * 0.75 / 40_000) ** 0.5).all()


def test_a_value_of_probability_zero_is_never_drawn():
    probabilities = torch.tensor([0.0, 0.5, 0.0, 0.5, 0.0], dtype=torch.float64)
    extremes = torch.tensor([-40.0, -8.0, 0.0, 8.0, 40.0], dtype=torch.float64)
    drawn = one_hot(probabilities, extremes[:, None].expand(5, 5)).argmax(-1)
    assert drawn.tolist() == [1, 1, 1, 3, 3]


@pytest.mark.promise(
    "exact_log_likelihood",
    "probabilities sum to 1",
    "discrete z, all 2^12 binary images: 1e-12",
)
def test_probabilities_of_all_images_sum_to_one(toy):
    """2^12 binary images."""
    vae, _ = model(toy)
    every = torch.tensor(list(itertools.product([0.0, 1.0], repeat=12)), dtype=torch.float64)
    assert exact_log_likelihood(vae, every).exp().sum().item() == pytest.approx(1, abs=1e-12)


@pytest.mark.promise(
    "gap",
    "equals KL(q(z|x), p(z|x)) where log p(x) is exact",
    "discrete z: 1e-10 nat",
)
def test_log_p_minus_elbo_is_the_kl_to_the_true_posterior(toy):
    vae, x = model(toy)
    bound, exact = best_elbo(vae, x, noise(1, 5, VALUES)), exact_log_likelihood(vae, x)
    log_joint = log_likelihoods(vae, x).T - math.log(VALUES)
    truth = Reference(logits=log_joint)
    gap = kl_divergence(Reference(logits=vae.encode(x).log_probabilities), truth)
    torch.testing.assert_close(exact - bound.elbo, gap, rtol=1e-8, atol=1e-10)
    assert (gap > 0).all()


def test_the_gradient_is_the_mean_of_the_score_functions(toy):
    """d ELBO / d phi = E_q[(log p(x, z) - log q(z | x)) d log q(z | x) / d phi]."""
    vae, x = model(toy)
    q, bias = vae.encode(x), vae.posterior.logits.bias
    joint = log_likelihoods(vae, x).T.detach() - math.log(VALUES)
    signal = (q.mean * (joint - q.log_probabilities)).detach()
    (expected,) = torch.autograd.grad((signal * q.log_probabilities).sum(), bias)
    bound = objective(vae, toy["spec"](**DISCRETE), x, noise(1, 5, VALUES), 1.0)
    (found,) = torch.autograd.grad(bound.objective.sum(), bias)
    torch.testing.assert_close(found, expected)


@pytest.mark.promise(
    "elbo",
    "each image agrees with the exact value",
    "discrete z, 2000 samples: 5 standard errors",
)
@pytest.mark.promise(
    "log_likelihood",
    "each image agrees with the exact value",
    "discrete z, 2000 samples: 5 standard errors",
)
@torch.no_grad()
def test_sampled_estimates_agree_with_the_sums(toy):
    vae, x = model(toy)
    q, elbo_noise = vae.encode(x), image_noise(vae, 0, Purpose.ELBO, range(5))
    bound = estimate_elbo(vae, x, q, elbo_noise, 2000, 500)
    exact = best_elbo(vae, x, noise(1, 5, VALUES))
    assert ((bound.elbo - exact.elbo).abs() < 5 * bound.monte_carlo_error).all()
    torch.testing.assert_close(bound.rate, exact.rate)
    weight_noise = image_noise(vae, 0, Purpose.IMPORTANCE, range(5))
    weights = estimate_log_likelihood(vae, x, q, weight_noise, 2000, 500)
    error = 5 * weights.monte_carlo_error
    assert ((weights.log_likelihood - exact_log_likelihood(vae, x)).abs() < error).all()


def test_training_raises_the_exact_elbo(toy):
    training = toy["trained"](**DISCRETE, epochs=25)
    assert training.metrics[-1]["train_elbo_nats"] > training.metrics[0]["train_elbo_nats"]
