"""Annealed importance sampling on a linear-Gaussian model, where log p(x) is known."""

import itertools
import math
from dataclasses import dataclass

import pytest
import torch
from torch.distributions import MultivariateNormal

from elboflow.vae.annealing.ais import pilot, schedule, sweep
from elboflow.vae.annealing.bounds import bounds
from elboflow.vae.annealing.chains import ChainNoise, path_of, start_of
from elboflow.vae.annealing.hmc import STEP_SIZES, place
from elboflow.vae.data import ImageShape
from elboflow.vae.measure.estimate import ImportanceWeights
from elboflow.vae.model.gaussian import Gaussian
from elboflow.vae.model.priors import StandardNormal
from elboflow.vae.model.simulation import FIRST_IMAGE
from elboflow.vae.noise import Purpose, normals, words
from elboflow.vae.spec import BoundsSpec

LATENT, PIXELS, VARIANCE = 2, 6, 0.3
WEIGHTS = torch.tensor(
    [[1.0, 0.2], [0.5, -0.7], [-0.3, 0.9], [0.8, 0.8], [0.0, -0.4], [-0.6, 0.1]]
).double()
MEAN = torch.linspace(-1, 1, PIXELS, dtype=torch.float64)
EVIDENCE = MultivariateNormal(MEAN, WEIGHTS @ WEIGHTS.T + VARIANCE * torch.eye(PIXELS).double())
PRECISION = WEIGHTS.T @ WEIGHTS / VARIANCE + torch.eye(LATENT).double()  # of p(z | x)


class Pixels:
    """x ~ N(output, VARIANCE I)."""

    def log_prob(self, outputs, x):
        square = (x - outputs).square().sum(-1) / VARIANCE
        return -0.5 * (square + PIXELS * math.log(2 * math.pi * VARIANCE))


@dataclass
class LinearModel:
    """A VAE with exact log p(x) whose q(z | x) is too far to one side and too narrow."""

    shift: float = 0.4
    narrow: float = 0.6
    latent_dim = LATENT
    dtype = torch.float64
    device = torch.device("cpu")
    shape = ImageShape(1, PIXELS, 1, 1)
    prior = StandardNormal()
    likelihood = Pixels()

    def decode(self, z):
        return z @ WEIGHTS.T + MEAN

    def encode(self, x):
        mean, log_sd = exact_means(x), torch.linalg.inv(PRECISION).diagonal().log() / 2
        return Gaussian(
            mean + self.shift * log_sd.exp(), (log_sd + math.log(self.narrow)).expand_as(mean)
        )


def exact_means(x):
    return torch.linalg.solve(PRECISION, WEIGHTS.T @ (x - MEAN).T / VARIANCE).T


def posterior_samples(x, chains, seed=9):
    """Exact samples of p(z | x), shape (C, B, L)."""
    raw = words(seed, Purpose.SAMPLES, [(0, 0)], 1, chains * len(x) * LATENT)
    epsilon = normals(raw.view(chains, len(x), LATENT), torch.float64)
    factor = torch.linalg.cholesky(torch.linalg.inv(PRECISION))
    return exact_means(x) + epsilon @ factor.T


def simulated(images, seed=4):
    """z ~ p(z) and x ~ p(x | z)."""
    raw = words(seed, Purpose.SAMPLES, [(image, 0) for image in range(images)], 1, LATENT + PIXELS)
    noise = normals(raw[:, 0], torch.float64)
    z = noise[:, :LATENT]
    return z, LinearModel().decode(z) + VARIANCE**0.5 * noise[:, LATENT:]


def make_spec(**changes):
    few = {"ais_temperatures": 30, "ais_chains": 24, "ais_leapfrog_steps": 5}
    return BoundsSpec(**{**few, **changes})


def chains_of(model, x, chains, temperatures, start="posterior", leapfrog_steps=3):
    """Log weights (C, B) forward, and in reverse from exact samples of their own."""
    noises = [
        ChainNoise(model, 0, purpose, range(len(x)), chains)
        for purpose in (Purpose.AIS_FORWARD, Purpose.AIS_REVERSE, Purpose.AIS_PILOT)
    ]
    forward, reverse, trial = noises
    posterior = model.encode(x)
    path = path_of(model, x, posterior, start)
    first = start_of(model, posterior, start, trial)
    annealing = pilot(path, first, schedule(temperatures), leapfrog_steps, trial)
    up, _ = annealing.forward(start_of(model, posterior, start, forward), forward)
    down, _ = annealing.reverse(posterior_samples(x, chains), reverse)
    return up, down, annealing


def test_temperatures_rise_from_0_to_1_and_are_dense_at_both_ends():
    values = schedule(10)
    steps = [b - a for a, b in itertools.pairwise(values)]
    assert (values[0], values[-1], len(values)) == (0.0, 1.0, 11)
    assert min(steps) > 0
    assert steps == pytest.approx(steps[::-1])
    assert steps[0] < steps[5] / 5


@pytest.mark.promise(
    "ais",
    "each image agrees with the exact value",
    "linear Gaussian model, from q and from the prior: 5 standard errors",
)
@pytest.mark.parametrize("start", ["posterior", "prior"])
def test_ais_agrees_with_the_exact_value_within_its_error(start):
    _, x = simulated(8)
    spec = make_spec(ais_start=start, ais_temperatures=60, ais_chains=64)
    found, exact = bounds(LinearModel(), spec, 0, range(8), x), EVIDENCE.log_prob(x)
    assert ((found["ais_nats"] - exact).abs() < 5 * found["ais_error_nats"]).all()
    assert (found["ais_error_nats"] < 0.3).all()
    assert ((found["ais_acceptance"] > 0.4) & (found["ais_acceptance"] < 0.95)).all()


@pytest.mark.promise(
    "ais",
    "each image agrees with the exact value",
    "Bernoulli pixels, 2-D z by quadrature: 5 standard errors",
)
def test_ais_of_a_vae_agrees_with_quadrature(toy):
    """Bernoulli pixels and a posterior that is no Gaussian."""
    vae, x = toy["vae"](), torch.from_numpy(toy["binary"](6)).double()
    with torch.no_grad():
        for parameter in vae.decoder.parameters():
            parameter.mul_(3)
        nodes = torch.linspace(-7, 7, 401, dtype=torch.float64)  # by the trapezoid rule
        z = torch.cartesian_prod(nodes, nodes)[:, None]
        joint = [vae.prior.log_prob(z) + vae.likelihood.log_prob(vae.decode(z), i) for i in x]
        exact = torch.cat(joint, dim=1).logsumexp(0) + 2 * math.log(14 / 400)
    found = bounds(vae, make_spec(ais_chains=64), 0, range(6), x)
    assert ((found["ais_nats"] - exact).abs() < 5 * found["ais_error_nats"]).all()
    assert (found["ais_error_nats"] < 0.4).all()


@pytest.mark.promise(
    "ais, upper",
    "the mean weight is p(x) forwards and 1 / p(x) backwards",
    "linear Gaussian model, 1000 chains, 3 and 12 temperatures: 4.5 standard errors",
)
@pytest.mark.parametrize("start", ["posterior", "prior"])
@pytest.mark.parametrize("temperatures", [3, 12])
def test_weights_have_the_right_mean(start, temperatures):
    """E[w] = p(x) forward and 1 / p(x) in reverse, however few the temperatures: z-tests.

    q is wide here, so that the weights have a variance; those in reverse have none from the prior.
    """
    _, x = simulated(4)
    model, exact = LinearModel(shift=0.3, narrow=1.3), EVIDENCE.log_prob(x)
    up, down, _ = chains_of(model, x, 1000, temperatures, start)
    for weights in [up - exact, *([down + exact] if start == "posterior" else [])]:
        ratio = weights.exp()
        error = ratio.std(0) / len(ratio) ** 0.5
        assert ((ratio.mean(0) - 1).abs() < 4.5 * error).all()


def test_one_temperature_is_importance_sampling():
    _, x = simulated(3)
    model, posterior = LinearModel(), LinearModel().encode(x)
    z = posterior_samples(x, 10)
    path = path_of(model, x, posterior, "posterior")
    log_weights = sweep(place(path, z), schedule(1), move=lambda number, here: here)
    joint = model.prior.log_prob(z) + model.likelihood.log_prob(model.decode(z), x)
    torch.testing.assert_close(log_weights, joint - posterior.log_prob(z))


@pytest.mark.promise(
    "ais",
    "lower bound of log p(x) in expectation",
    "40 simulated images of a linear Gaussian model: 3 standard errors of the mean",
)
@pytest.mark.promise(
    "upper",
    "upper bound of log p(x) in expectation, on simulated images",
    "40 simulated images of a linear Gaussian model: 3 standard errors of the mean",
)
def test_bounds_from_both_sides_bracket_the_exact_value():
    z, x = simulated(40)
    spec = make_spec(ais_temperatures=20, ais_chains=8)
    found = bounds(LinearModel(), spec, 0, range(40), x, z)
    exact = EVIDENCE.log_prob(x)
    for below in (found["ais_nats"] - exact, exact - found["upper_nats"]):
        assert below.mean() < 3 * below.std() / 40**0.5  # a bound on average
    gap = found["upper_nats"] - found["ais_nats"]
    assert 0 < gap.mean() < 0.3
    assert (found["upper_error_nats"] < 0.6).all()


@pytest.mark.promise(
    "upper_minus_ais",
    "smaller with more temperatures",
    "40 simulated images, 2, 8, 32 temperatures: 3 standard errors",
)
def test_more_temperatures_tighten_the_bracket():
    z, x = simulated(40)
    gaps = []
    for temperatures in (2, 8, 32):
        spec = make_spec(ais_temperatures=temperatures, ais_chains=4, ais_start="prior")
        found = bounds(LinearModel(), spec, 0, range(40), x, z)
        gaps.append(found["upper_nats"] - found["ais_nats"])
    for wide, tight in itertools.pairwise(gaps):
        difference = wide - tight
        assert difference.mean() > 3 * difference.std() / 40**0.5


def test_neither_chunks_nor_other_chains_change_anything():
    z, x = simulated(5)
    numbers = [FIRST_IMAGE + image for image in range(5)]
    spec, model = make_spec(ais_temperatures=40), LinearModel()  # more than is drawn at once
    whole = bounds(model, spec, 3, numbers, x, z)
    for part in ([4, 0], [1, 2, 3]):
        found = bounds(model, spec, 3, [numbers[i] for i in part], x[part], z[part])
        for name, values in found.items():
            torch.testing.assert_close(values, whole[name][part], rtol=1e-9, atol=1e-9)
    few, many = (ChainNoise(model, 3, Purpose.AIS_FORWARD, numbers, count) for count in (2, 6))
    for drawn, more in zip(few(35), many(35), strict=True):
        assert torch.equal(drawn, more[:2])


def test_step_sizes_are_found_for_each_image_and_temperature():
    _, x = simulated(4)
    model = LinearModel()
    _, _, annealing = chains_of(model, x, 16, 40, start="prior")
    sizes = torch.stack(annealing.step_sizes)
    assert sizes.shape == (41, 4)
    assert ((sizes >= STEP_SIZES[0]) & (sizes <= STEP_SIZES[1])).all()
    # HMC's steps are as long as the density is narrow: the prior has precision 1 in all directions.
    narrow = torch.linalg.eigvalsh(PRECISION).max().sqrt()
    assert 0.5 * narrow < sizes[1:6].mean() / sizes[-5:].mean() < 2 * narrow


@pytest.mark.parametrize(
    "model",
    [
        {"posterior": "full_covariance", "prior": "mixture"},
        {"posterior": "flow", "prior": "mixture"},
        {"posterior": "gaussian", "prior": "vamp"},
        {"second_latent_dim": 1, "kl": "sampled"},
        {"likelihood": "categorical"},
    ],
)
def test_other_models_are_annealed_as_well(toy, model):
    vae = toy["vae"](**model)
    x = torch.from_numpy(toy["binary"](3)).double()
    found = bounds(vae, make_spec(ais_temperatures=10), 0, range(3), x)
    error = torch.hypot(found["ais_error_nats"], found["importance_error_nats"])
    assert ((found["ais_nats"] - found["importance_nats"]).abs() < 5 * error).all()


def test_the_error_over_chains_is_that_of_importance_sampling():
    log_weights = torch.tensor([[0.0], [1.0], [-1.0]]).double()
    weights, found = log_weights.exp(), ImportanceWeights(log_weights)
    assert found.log_likelihood.item() == pytest.approx(weights.mean().log().item())
    expected = weights.std().item() / weights.mean().item() / 3**0.5
    assert found.monte_carlo_error.item() == pytest.approx(expected)
