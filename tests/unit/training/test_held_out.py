"""The lower bound on the marginal KL, against its definition and where the KL is known."""

import math

import numpy as np
import pytest
import torch

from elboflow.vae.measure import aggregate, held_out
from elboflow.vae.measure.held_out import FOLDS, marginal_kl_at_least
from elboflow.vae.model.categorical import Categorical
from elboflow.vae.model.gaussian import FullCovariance, Gaussian
from elboflow.vae.model.posterior import Posterior
from elboflow.vae.model.two_layers import TwoLayers

SD = 0.274  # of q in each of five dimensions: 6.48 nats of rate where q(z) is the prior
IMAGES, REPEATS = 397, 40


@pytest.fixture(autouse=True)
def two_draws_of_each_image(monkeypatch):
    monkeypatch.setattr(aggregate, "DRAWS", 1)


def means_of(random, scale=1.0, shift=0.0):
    """Posterior means of which q(z) is N(shift, scale^2 I) in five dimensions."""
    spread = (scale**2 - SD**2) ** 0.5
    return torch.from_numpy(random.normal(shift, spread, (IMAGES, 5)))


def bounds(aggregate_of, repeats=REPEATS, **changes):
    """Lower and upper bound with their data errors, shape (repeats, 4)."""
    random, found = np.random.default_rng(2), []
    for seed in range(repeats):
        whole = aggregate_of(means_of(random, **changes), SD, seed)
        row = []
        for bound in (marginal_kl_at_least(whole), whole.marginal_kl()):
            error = bound.pseudo_values.std() / IMAGES**0.5
            row += [bound.values.mean().item(), error.item()]
        found.append(row)
    return np.array(found).T


@pytest.mark.promise(
    "marginal_kl_lower",
    "is not above 0 where the marginal KL is 0",
    "exact posterior of 5 dimensions, rate 6.48, N = 397: beyond 2 errors in none of 40 repeats; "
    "the upper bound, once shown as the value, is at 1.2",
)
def test_no_holes_are_found_where_there_are_none(aggregate_of):
    lower, error, upper, upper_error = bounds(aggregate_of)
    assert (lower > 2 * error).sum() == 0
    assert abs(lower.mean()) < 0.01
    assert (upper > 20 * upper_error * 0.8).all()


@pytest.mark.promise(
    "marginal_kl_lower, marginal_kl, mutual_information, mutual_information_upper",
    "enclose the marginal KL, and so the rest of the rate, with 2 data errors on either side",
    "q(z) wider, narrower and shifted, N = 397: at least 95 % of 40 repeats, and all find it",
)
@pytest.mark.parametrize(
    ("changes", "truth"),
    [
        ({"scale": 1.5}, 5 * (0.5 * (1.5**2 - 1) - math.log(1.5))),
        ({"scale": 0.7}, 5 * (0.5 * (0.7**2 - 1) - math.log(0.7))),
        ({"shift": 0.3}, 5 * 0.5 * 0.3**2),
    ],
)
def test_a_marginal_kl_that_is_known_lies_between_the_bounds(aggregate_of, changes, truth):
    lower, error, upper, upper_error = bounds(aggregate_of, **changes)
    covered = (lower - 2 * error < truth) & (truth < upper + 2 * upper_error)
    assert covered.mean() >= 0.95
    assert (lower > 2 * error).all()
    assert lower.mean() == pytest.approx(truth, abs=0.1 * truth)  # and the bound is of use


def test_gaps_of_a_q_with_two_modes_are_found(aggregate_of):
    """Mean and variance of this q(z) are the prior's: the Gaussian part sees nothing."""
    random, sd, mode = np.random.default_rng(3), 0.2, 0.85

    grid, spread = np.linspace(-5, 5, 20001), (1 - mode**2) ** 0.5
    density = sum(np.exp(-0.5 * ((grid - m) / spread) ** 2) for m in (-mode, mode)) / 2 / spread
    truth = (density * (np.log(density) + 0.5 * grid**2)).sum() * 5e-4 / math.sqrt(2 * math.pi)
    found = []
    for seed in range(20):
        signs = random.choice([-mode, mode], 300)
        means = signs + random.normal(0, (1 - mode**2 - sd**2) ** 0.5, 300)
        whole = aggregate_of(torch.from_numpy(means)[:, None], sd, seed)
        bound = marginal_kl_at_least(whole)
        found.append([bound.values.mean().item(), (bound.pseudo_values.std() / 300**0.5).item()])
    lower, error = np.array(found).T
    assert (lower > 2 * error).mean() >= 0.8
    assert 0.6 * truth < lower.mean() < truth


def test_r_is_of_other_folds_and_pseudo_values_of_leaving_an_image_out(aggregate_of, monkeypatch):
    """Against the definition, density by density."""
    monkeypatch.setattr(aggregate, "ROWS_AT_ONCE", 9)
    monkeypatch.setattr(aggregate, "DRAWS", 3 * 23)
    weights = torch.tensor([0.1, 0.2, 0.3, 0.4], dtype=torch.float64)
    monkeypatch.setattr(held_out, "_weights", lambda parts: weights)
    count, means = 23, torch.from_numpy(np.random.default_rng(0).normal(size=(23, 2)))
    whole = aggregate_of(means, 0.4)
    found = marginal_kl_at_least(whole)
    kernels = [whole.posteriors[0], whole.posteriors[0].nearer_to_prior(held_out.KEPT)]

    def log_r(n, dropped=None):
        used = [m for m in range(count) if m % FOLDS != n % FOLDS]
        kept, z = [m for m in used if m != dropped], whole.z[:, n]
        mean, square = (power.mean(0)[used].mean(0) for power in (whole.z, whole.z.square()))
        gaussian = torch.distributions.Normal(mean, (square - mean.square()).sqrt())
        parts = [whole.log_prior[:, n].exp(), gaussian.log_prob(z).sum(-1).exp()]
        parts += [q.log_prob_of_each(z)[:, kept].exp().mean(1) for q in kernels]
        return (torch.stack(parts, 1) @ weights).log() - whole.log_prior[:, n]

    values = torch.stack([log_r(n).mean() for n in range(count)])
    torch.testing.assert_close(found.values, values)
    for m in range(count):
        left = torch.stack([log_r(n, m).mean() for n in range(count) if n != m]).mean()
        expected = count * values.mean() - (count - 1) * left
        torch.testing.assert_close(found.pseudo_values[m], expected)


def test_weights_are_those_of_largest_likelihood():
    """Of two densities, 2 and 1, on a quarter of the rows and 1 and 2 on the others."""
    parts = torch.tensor([[2.0, 1.0]] + 3 * [[1.0, 2.0]]).double().log()
    # The derivative 1 / (1 + w) - 3 / (2 - w) is below 0 for every w.
    expected = torch.tensor([0.0, 1.0]).double()
    torch.testing.assert_close(held_out._weights(parts), expected, atol=1e-6, rtol=0)


def test_moved_posteriors_keep_a_standard_normal():
    mean, kept = torch.tensor([[1.0, -2.0]]).double(), 0.8
    sd = torch.tensor([[0.5, 0.1]]).double()
    q = Gaussian(mean, sd.log()).nearer_to_prior(kept)
    full = FullCovariance(mean, torch.diag_embed(sd)).nearer_to_prior(kept)
    sd = (0.64 * torch.tensor([[0.25, 0.01]]).double() + 0.36).sqrt()
    for found in (q.log_sd.exp(), full.factor.diagonal(dim1=-2, dim2=-1)):
        torch.testing.assert_close(found, sd)
    torch.testing.assert_close(q.mean, kept * mean)
    same = Gaussian(torch.zeros(1, 2), torch.zeros(1, 2)).nearer_to_prior(kept)
    assert same.mean.abs().max() == same.log_sd.abs().max() == 0
    layers = TwoLayers(Gaussian(mean, mean), lambda z: same, 4).nearer_to_prior(kept)
    torch.testing.assert_close(layers.first.mean, kept * mean)
    values = Categorical(torch.tensor([[1.0, 1e-30]]).log()).nearer_to_prior(kept)
    torch.testing.assert_close(values.log_probabilities.exp(), torch.tensor([[0.82, 0.18]]))
    with pytest.raises(NotImplementedError, match="Posterior is not moved"):
        Posterior().nearer_to_prior(kept)


@pytest.mark.parametrize(
    "changes",
    [
        {"posterior": "full_covariance"},
        {"posterior": "categorical", "prior": "uniform", "latent_dim": 4},
        {"second_latent_dim": 3, "kl": "sampled"},
        {"prior": "vamp", "kl": "sampled"},
    ],
)
@torch.no_grad()
def test_every_posterior_with_a_cheap_density_has_bounds_in_order(toy, changes):
    vae, x = toy["vae"](**changes), torch.from_numpy(toy["binary"](40)).double()
    whole = aggregate.AggregatePosterior(vae, x)
    lower, upper = marginal_kl_at_least(whole), whole.marginal_kl()
    assert lower.values.isfinite().all() and lower.pseudo_values.isfinite().all()
    assert lower.values.mean() <= upper.values.mean()
