"""Two stochastic layers: both joint densities, their draws, and log p(x) by quadrature."""

import math

import pytest
import torch
from torch.distributions import Normal

from elboflow.vae.measure.estimate import estimate_elbo, estimate_log_likelihood, image_noise
from elboflow.vae.model.gaussian import standard_normal_log_prob
from elboflow.vae.noise import Purpose
from elboflow.vae.spec import SpecError
from elboflow.vae.training.objectives import draw, objective

AREA = (20 / 300) ** 2


def noise(*shape, seed=1):
    generator = torch.Generator().manual_seed(seed)
    return torch.randn(*shape, dtype=torch.float64, generator=generator)


def model(toy, first=1, second=1):
    """Far from where it starts, and three images."""
    vae = toy["vae"](latent_dim=first, second_latent_dim=second, kl="sampled")
    with torch.no_grad():
        for part in (vae.prior, vae.posterior):
            for name, parameter in part.named_parameters():
                parameter.add_(0.2 * noise(*parameter.shape, seed=len(name)))
    return vae, torch.from_numpy(toy["binary"](3)).double()


def plane():
    """Nodes (301^2, 2) of the trapezoid rule on [-10, 10]^2."""
    line = torch.linspace(-10, 10, 301, dtype=torch.float64)
    return torch.cartesian_prod(line, line)


@torch.no_grad()
def test_both_densities_integrate_to_one(toy):
    vae, x = model(toy)
    assert (vae.prior.log_prob(plane()).exp().sum() * AREA).item() == pytest.approx(1, abs=1e-3)
    mass = vae.encode(x).log_prob(plane()[:, None].expand(-1, 3, -1)).exp().sum(0) * AREA
    torch.testing.assert_close(mass, torch.ones(3).double(), rtol=0, atol=1e-3)


@torch.no_grad()
def test_the_densities_are_products_of_conditionals(toy):
    vae, x = model(toy, 3, 2)
    z = noise(7, 3, 5)
    z1, z2 = z[..., :3], z[..., 3:]

    def given(network, value):
        features = network.hidden(value)
        return Normal(network.mean(features), network.log_sd(features).exp())

    standard = Normal(torch.zeros(2).double(), torch.ones(2).double())
    log_p = given(vae.prior.first, z2).log_prob(z1).sum(-1) + standard.log_prob(z2).sum(-1)
    torch.testing.assert_close(vae.prior.log_prob(z), log_p)
    first = vae.encode(x).first
    log_q = Normal(first.mean, first.log_sd.exp()).log_prob(z1).sum(-1)
    log_q = log_q + given(vae.posterior.second, z1).log_prob(z2).sum(-1)
    torch.testing.assert_close(vae.encode(x).log_prob(z), log_q)
    torch.testing.assert_close(vae.decode(z), vae.output(vae.decoder(z1)))


def test_a_draw_has_the_density_of_the_change_of_variables(toy):
    vae, x = model(toy, 3, 2)
    epsilon = noise(1, 3, 5)
    q = vae.encode(x)
    z, log_q = q.sample(epsilon)
    torch.testing.assert_close(log_q, q.log_prob(z))
    for map_, density in (
        (lambda e: q.sample(e)[0], q.log_prob),
        (vae.prior.sample, vae.prior.log_prob),
    ):
        jacobian = torch.autograd.functional.jacobian(map_, epsilon)
        own = torch.stack([jacobian[0, image, :, 0, image] for image in range(3)])
        expected = standard_normal_log_prob(epsilon) - torch.linalg.slogdet(own).logabsdet
        torch.testing.assert_close(density(map_(epsilon)), expected)


@pytest.mark.promise(
    "log_likelihood, elbo",
    "each image agrees with the exact value",
    "two stochastic layers, by quadrature: 5 standard errors and 0.001 nat",
)
@torch.no_grad()
def test_importance_sampling_and_the_elbo_agree_with_quadrature(toy):
    vae, x = model(toy)
    z, q = plane()[:, None].expand(-1, 3, -1), vae.encode(x)
    log_q = q.log_prob(z)
    joint = vae.prior.log_prob(z) + vae.likelihood.log_prob(vae.decode(z), x)
    exact = joint.logsumexp(0) + math.log(AREA)
    exact_elbo = (log_q.exp() * (joint - log_q)).nan_to_num().sum(0) * AREA
    weight_noise, elbo_noise = (
        image_noise(vae, 0, purpose, range(3)) for purpose in (Purpose.IMPORTANCE, Purpose.ELBO)
    )
    weights = estimate_log_likelihood(vae, x, q, weight_noise, 4000, 1000)
    bound = estimate_elbo(vae, x, q, elbo_noise, 4000, 1000)
    assert ((weights.log_likelihood - exact).abs() < 5 * weights.monte_carlo_error + 1e-3).all()
    assert ((bound.elbo - exact_elbo).abs() < 5 * bound.monte_carlo_error + 1e-3).all()


@torch.no_grad()
def test_the_mean_is_that_of_draws(toy):
    vae, x = model(toy, 2, 3)
    q = vae.encode(x)
    z = q.sample(noise(50_000, 3, 5))[0]
    assert q.mean.shape == (3, 5)
    assert torch.equal(q.mean[:, :2], q.first.mean)
    assert ((z.mean(0) - q.mean).abs() < 5 * z.std(0) / 200**0.5).all()


@pytest.mark.parametrize("kind", ["elbo", "importance_weighted"])
def test_training_moves_all_parameters_and_raises_the_objective(toy, kind):
    changes = {"second_latent_dim": 2, "kl": "sampled", "training_samples": 3, "objective": kind}
    training = toy["training"](**changes, epochs=25)
    start = {name: value.clone() for name, value in training.vae.named_parameters()}
    toy["train"](training)
    first, last = (training.metrics[row]["train_objective_nats"] for row in (0, -1))
    assert last > first
    for name, value in training.vae.named_parameters():
        assert not torch.equal(value, start[name]), name
    again = toy["vae"](seed=5, **changes)
    again.load_state_dict(training.kept_parameters())


def test_the_gradient_is_pathwise_only(toy):
    vae, x = model(toy)
    spec = toy["spec"](gradient="sticking_the_landing", kl="sampled")
    with pytest.raises(SpecError, match="pathwise only"):
        objective(vae, spec, x, noise(1, 3, 2), 1.0)
    assert draw(vae, x, noise(1, 3, 2)).analytic_rate is None
