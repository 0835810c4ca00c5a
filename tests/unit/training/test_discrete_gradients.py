"""Estimators of a discrete z's gradient against the exact one, a sum over all values."""

import math
from dataclasses import replace
from types import SimpleNamespace

import pytest
import torch

from elboflow.vae.model.categorical import Categorical, Uniform, gumbel
from elboflow.vae.model.draws import draw
from elboflow.vae.training.objectives import (
    best_elbo,
    elbo,
    enumerated,
    gumbel_softmax,
    objective,
    score_function,
)

VALUES, BETA, REPEATS = 4, 1.5, 4000
DISCRETE = {"posterior": "categorical", "prior": "uniform", "latent_dim": VALUES}


def noise(*shape, seed=1):
    generator = torch.Generator().manual_seed(seed)
    return torch.randn(*shape, dtype=torch.float64, generator=generator)


def images(toy, count=5):
    return torch.from_numpy(toy["binary"](count)).double()


def gradients(vae, bound):
    """Of the sum over images, in one vector."""
    found = torch.autograd.grad(bound.objective.sum(), list(vae.parameters()))
    return torch.cat([gradient.flatten() for gradient in found])


def repeated(bound):
    """Objectives (R,) and gradients (R, 3 VALUES) of R copies of a small model of one image.

    Every copy has an encoder and a decoder of its own: the logits of q, and log p(x | z) as a
    quadratic function of z that is far from 0, as that of images is.
    """
    leaves = [noise(1, VALUES, seed=2), noise(1, VALUES, seed=3), noise(1, VALUES, seed=4)]
    logits, slopes, curves = (leaf.repeat(REPEATS, 1).requires_grad_() for leaf in leaves)
    vae = SimpleNamespace(
        latent_dim=VALUES,
        prior=Uniform(),
        encode=lambda x: Categorical(logits.log_softmax(-1)),
        decode=lambda z: (z * 3 * slopes).sum(-1) - (z * curves).sum(-1).square() - 5,
        likelihood=SimpleNamespace(log_prob=lambda output, x: output),
    )
    values = bound(vae).objective
    found = torch.autograd.grad(values.sum(), (logits, slopes, curves))
    return values.detach(), torch.cat(found, 1)


def exactly(vae):
    """The ELBO as the sum over the values, image by image."""
    every = torch.eye(VALUES, dtype=torch.float64)[:, None].expand(-1, REPEATS, -1)
    q = vae.encode(None)
    distortion = -(q.mean.T * vae.decode(every)).sum(0)
    return SimpleNamespace(objective=-distortion - BETA * q.kl())


def scored(vae, samples=3):
    return score_function(draw(vae, None, noise(samples, REPEATS, VALUES)), BETA)


def without_baseline(vae):
    draws = draw(vae, None, noise(3, REPEATS, VALUES))
    score = (draws.log_likelihood.detach() * draws.log_posterior).mean(0)
    bound = elbo(draws, "analytic", BETA)
    return replace(bound, objective=bound.objective + score)


def relaxed(vae, temperature):
    return gumbel_softmax(vae, None, noise(3, REPEATS, VALUES), temperature, BETA)


def standard_error(draws):
    return draws.std(0) / len(draws) ** 0.5


@pytest.mark.parametrize("samples", [2, 5])
def test_the_score_function_has_the_mean_of_the_exact_gradient(samples):
    exact_value, exact_gradient = repeated(exactly)
    values, found = repeated(lambda vae: scored(vae, samples))
    assert ((found.mean(0) - exact_gradient[0]).abs() < 5 * standard_error(found)).all()
    assert (values.mean() - exact_value[0]).abs() < 5 * standard_error(values)


def test_a_baseline_takes_variance_away_from_the_encoders_gradient():
    _, plain = repeated(without_baseline)
    _, better = repeated(scored)
    assert ((plain - better).mean(0).abs() <= 5 * standard_error(plain - better)).all()
    assert (better[:, :VALUES].var(0) < 0.8 * plain[:, :VALUES].var(0)).all()
    torch.testing.assert_close(better[:, VALUES:], plain[:, VALUES:])


def test_the_same_in_a_network(toy):
    """Encoder and decoder of several layers."""
    vae, copies = toy["vae"](**DISCRETE), 150
    exact = gradients(vae, enumerated(vae, images(toy), BETA))
    found = torch.stack(
        [
            gradients(vae, score_function(draw(vae, images(toy), epsilon), BETA))
            for epsilon in noise(copies, 4, 5, VALUES)
        ]
    )
    assert ((found.mean(0) - exact).abs() < 5 * standard_error(found) + 1e-12).all()


def test_each_draw_has_the_others_as_its_baseline(toy):
    vae, x, epsilon = toy["vae"](**DISCRETE), images(toy), noise(3, 5, VALUES)
    draws = draw(vae, x, epsilon)
    signal = draws.log_likelihood.detach()
    others = torch.stack([(signal.sum(0) - own) / 2 for own in signal])
    score = ((signal - others) * draws.log_posterior).mean(0).sum()
    bias = vae.posterior.logits.bias
    (expected,) = torch.autograd.grad(score - BETA * draws.analytic_rate.sum(), bias)
    bound = score_function(draw(vae, x, epsilon), BETA)
    (found,) = torch.autograd.grad(bound.objective.sum(), bias)
    torch.testing.assert_close(found, expected)
    torch.testing.assert_close(bound.objective, -bound.distortion - BETA * bound.rate)


def test_the_relaxed_gradient_is_that_of_finite_differences(toy):
    """In ten directions of encoder and decoder, under the same noise."""
    vae, x, epsilon, step = toy["vae"](**DISCRETE), images(toy), noise(3, 5, VALUES), 1e-6
    found = gradients(vae, gumbel_softmax(vae, x, epsilon, 0.5, BETA))
    start = torch.nn.utils.parameters_to_vector(vae.parameters()).detach()

    @torch.no_grad()
    def at(values):
        torch.nn.utils.vector_to_parameters(values, vae.parameters())
        return gumbel_softmax(vae, x, epsilon, 0.5, BETA).objective.sum()

    directions = noise(10, len(start), seed=5)
    slopes = [(at(start + step * d) - at(start - step * d)) / (2 * step) for d in directions]
    torch.testing.assert_close(directions @ found, torch.stack(slopes), rtol=1e-6, atol=1e-6)


def test_its_bias_falls_with_the_temperature_and_its_variance_rises():
    _, exact = repeated(exactly)
    found = [repeated(lambda vae, t=t: relaxed(vae, t))[1] for t in (2.0, 0.5, 0.1)]
    bias = [(gradient.mean(0) - exact[0]).norm().item() for gradient in found]
    spread = [gradient.var(0).sum().item() for gradient in found]
    noise_of_mean = [standard_error(gradient).norm().item() for gradient in found]
    assert bias[0] > bias[1] > bias[2]
    assert bias[1] > 5 * noise_of_mean[1]
    assert spread[0] < spread[1] < spread[2]


def test_relaxed_draws_follow_q():
    """The largest number stands where a draw of q has its 1, and at a low temperature is 1."""
    q = Categorical(noise(1, VALUES).log_softmax(-1))
    z = q.relax(noise(REPEATS, 1, VALUES), 0.5)
    torch.testing.assert_close(z.sum(-1), torch.ones(REPEATS, 1).double())
    hard = torch.nn.functional.one_hot(z.argmax(-1), VALUES).double()
    error = (q.mean * (1 - q.mean) / REPEATS).sqrt()
    assert ((hard.mean(0) - q.mean).abs() < 5 * error).all()
    torch.testing.assert_close(q.relax(noise(REPEATS, 1, VALUES), 1e-6), hard)


def test_gumbel_noise_has_its_mean_and_variance():
    """Euler's constant and pi^2 / 6."""
    found = gumbel(noise(100_000))
    assert (found.mean() - 0.5772156649).abs() < 5 * math.pi / math.sqrt(6 * 100_000)
    assert found.var().item() == pytest.approx(math.pi**2 / 6, rel=0.03)


@pytest.mark.parametrize("dtype", [torch.float32, torch.float64])
def test_no_noise_is_too_extreme(dtype):
    extremes = torch.tensor([-38.0, -10.0, 0.0, 10.0, 38.0, 1e4], dtype=dtype)
    assert torch.isfinite(gumbel(extremes)).all()
    assert (gumbel(extremes).diff() >= 0).all()
    logits = torch.tensor([[900.0, -900.0, 0.0]], dtype=dtype, requires_grad=True)
    epsilon = torch.cartesian_prod(extremes, extremes, extremes)[:, None]
    q = Categorical(logits.log_softmax(-1))
    z, (hard, _) = q.relax(epsilon, 0.01), q.sample(epsilon)
    torch.testing.assert_close(z.sum(-1), torch.ones_like(z[..., 0]))
    assert torch.isfinite(torch.autograd.grad(z[..., 0].sum(), logits)[0]).all()
    assert (hard.sum(-1) == 1).all()


def trained(toy, gradient, steps=150):
    """The mean exact ELBO of two images and a z of two values, after some steps of Adam."""
    changes = {**DISCRETE, "latent_dim": 2}
    vae = toy["vae"](**changes)
    spec = toy["spec"](**changes, gradient=gradient, training_samples=3)
    x = torch.eye(2, dtype=torch.float64).repeat_interleave(6, 1)
    optimiser = torch.optim.Adam(vae.parameters(), lr=0.03)
    for step in range(steps):
        optimiser.zero_grad()
        (-objective(vae, spec, x, noise(3, 2, 2, seed=step), 1.0).objective.sum()).backward()
        optimiser.step()
    return best_elbo(vae, x, noise(1, 2, 2)).elbo.mean().item()


def test_all_train_to_nearly_the_same_bound(toy):
    """Which cannot be above -log 2, the best for two images that are equally likely."""
    exact = trained(toy, "pathwise")
    assert -math.log(2) - 0.05 < exact < -math.log(2)
    for gradient in ("score_function", "gumbel_softmax"):
        assert exact - 0.1 < trained(toy, gradient) < -math.log(2)


def test_the_specification_chooses_the_gradient(toy):
    vae, x, epsilon = toy["vae"](**DISCRETE), images(toy), noise(3, 5, VALUES)
    chosen = {
        "pathwise": enumerated(vae, x, BETA),
        "score_function": score_function(draw(vae, x, epsilon), BETA),
        "gumbel_softmax": gumbel_softmax(vae, x, epsilon, 0.3, BETA),
    }
    for gradient, expected in chosen.items():
        spec = toy["spec"](**{**DISCRETE, "gradient": gradient, "gumbel_temperature": 0.3})
        found = objective(vae, spec, x, epsilon, BETA)
        torch.testing.assert_close(found.objective, expected.objective)
        torch.testing.assert_close(gradients(vae, found), gradients(vae, expected))
