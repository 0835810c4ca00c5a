"""What importance sampling draws z from: a mixture that misses nothing, in few dimensions."""

import math

import pytest
import torch

from elboflow.vae.measure import proposal
from elboflow.vae.measure.blocks import block_sizes
from elboflow.vae.measure.bound_curve import extrapolate, halvings
from elboflow.vae.measure.estimate import estimate_log_likelihood, image_noise
from elboflow.vae.model.gaussian import FullCovariance, Gaussian
from elboflow.vae.noise import Purpose

LINE = torch.linspace(-8, 8, 321, dtype=torch.float64)
PLANE, AREA = torch.cartesian_prod(LINE, LINE), (16 / 320) ** 2


def weights_of(vae, x, q, samples=1000, seed=0, images=None, chunk=1000):
    noise = image_noise(vae, seed, Purpose.IMPORTANCE, images or range(len(x)))
    return estimate_log_likelihood(vae, x, q, noise, samples, chunk)


@torch.no_grad()
def two_modes(toy, images):
    """A decoder that cannot tell z from -z, and q at the one of them whose z_1 is positive.

    Pixels are on where |z_1| is above 1 or so, and most pixels of the images are.

    Returns the model, images, q, and exact log p(x) by the trapezoid rule, shape (B,).
    """
    vae = toy["vae"]()
    x = torch.from_numpy(toy["binary"](3 * images).reshape(3, images, -1).max(0)).double()
    steps = torch.tensor([[4.0, 0.0], [4, 1], [4, -1], [4, 2]]).double()
    vae.decoder[0].weight.copy_(torch.cat([steps, -steps]))
    vae.decoder[0].bias.fill_(-4)
    vae.output.weight.fill_(0.5)
    vae.output.bias.copy_(torch.linspace(1, 3, 12))
    z = PLANE[:, None]
    outputs = vae.decode(z)
    log_likelihood = [vae.likelihood.log_prob(outputs, image[None]) for image in x]
    joint = torch.cat(log_likelihood, dim=1) + vae.prior.log_prob(z)
    half = joint.masked_fill(z[..., 0] < 0, -torch.inf).softmax(0).unsqueeze(-1)
    mean = (half * z).sum(0)
    q = Gaussian(mean, 0.5 * (half * (z - mean).square()).sum(0).log())
    return vae, x, q, joint.logsumexp(0) + math.log(AREA)


def coverage(toy, narrower, repeats=100):
    """Share of the evaluations of 30 images whose interval holds the exact mean of log p(x)."""
    vae, x, q, exact = two_modes(toy, 30)
    q, held = q.widened(1 / narrower), 0
    for seed in range(repeats):
        weights = weights_of(vae, x, q, 400, seed)
        found = extrapolate(halvings(weights.log_block_means.numpy(), block_sizes(400)))
        held += found.lower <= exact.mean().item() <= found.upper
    return held / repeats


@pytest.mark.promise(
    "log_likelihood_lower, log_likelihood_upper",
    "hold the mean log p(x) of these images in 95 % of evaluations also where q misses a mode of "
    "p(z given x) or is much too narrow, with up to 5 latents",
    "2-D z by quadrature, q at one of two equal modes, as wide as that and a quarter: 0.90 or more "
    "of 100 evaluations; of q alone 0.05 and 0.80 or less",
)
@pytest.mark.parametrize(("narrower", "of_q"), [(1, 0.05), (4, 0.80)])
@torch.no_grad()
def test_the_interval_holds_log_likelihood_though_q_misses_a_mode(toy, monkeypatch, narrower, of_q):
    assert coverage(toy, narrower) >= 0.90
    monkeypatch.setattr(proposal, "FEW_LATENTS", 0)
    assert coverage(toy, narrower, 40) <= of_q


@pytest.mark.promise(
    "log_likelihood",
    "on average no higher than log p(x): the mean weight of every part of the samples is unbiased",
    "2-D z by quadrature, 64 parts of 2 or 3 samples of 4000 draws: 5 standard errors",
)
@torch.no_grad()
def test_the_mean_weight_of_every_block_is_unbiased(toy):
    vae, x, q, exact = two_modes(toy, 4)
    repeats = 1000
    copies = torch.arange(4).repeat(repeats)
    weights = weights_of(vae, x[copies], q.select(copies), 160)
    relative = (weights.log_block_means - exact[copies, None]).exp()
    error = relative.std(0) / len(copies) ** 0.5
    assert relative.shape == (4 * repeats, 64)
    assert ((relative.mean(0) - 1).abs() < 5 * error).all()
    assert (error < 0.1).all()


@torch.no_grad()
def test_with_a_fixed_turn_some_blocks_would_be_biased(toy, monkeypatch):
    """So that the test above can fail."""
    vae, x, q, exact = two_modes(toy, 4)
    monkeypatch.setattr(proposal, "turns_of", lambda noise, samples: torch.zeros(1).long())
    copies = torch.arange(4).repeat(250)
    relative = weights_of(vae, x[copies], q.select(copies), 160).log_block_means
    relative = (relative - exact[copies, None]).exp()
    assert ((relative.mean(0) - 1).abs() > 5 * relative.std(0) / len(copies) ** 0.5).any()


@torch.no_grad()
def posteriors(toy):
    """Models of two latents of each family that the mixture is for, with q."""
    x = torch.from_numpy(toy["binary"](3)).double()
    changes = [{"posterior": "gaussian"}, {"posterior": "full_covariance"}]
    changes.append({"latent_dim": 1, "second_latent_dim": 1, "kl": "sampled"})
    changes.append({"prior": "mixture"})
    for change in changes:
        vae = toy["vae"](**change)
        yield vae, x, vae.encode(x)


@torch.no_grad()
def test_the_mixture_is_a_density_and_has_its_shares(toy):
    for vae, x, q in posteriors(toy):
        mixture = proposal.proposal(vae, q, image_noise(vae, 0, Purpose.IMPORTANCE, range(3)), 200)
        z = 5 * PLANE[:, None].expand(-1, len(x), -1)
        mass = mixture.log_prob(z).exp().sum(0) * 25 * AREA
        torch.testing.assert_close(mass, torch.ones(3).double(), rtol=0, atol=0.025)
        shares = 0.8 * q.log_prob(z).exp() + 0.1 * vae.prior.log_prob(z).exp()
        wider = mixture.log_prob(z).exp() - shares
        mean = (wider.unsqueeze(-1) * z).sum(0) / wider.sum(0).unsqueeze(-1)
        assert (wider > -1e-12).all()
        if isinstance(q, (Gaussian, FullCovariance)):
            torch.testing.assert_close(mean, q.mean, rtol=0, atol=0.1)


@pytest.mark.promise(
    "log_likelihood",
    "each image within 0.03 of the exact value where q is the posterior",
    "a decoder that does not use z, mixture of 1000 samples",
)
@torch.no_grad()
def test_weights_stay_nearly_equal_where_q_is_the_posterior(toy):
    vae, x = toy["vae"](), torch.from_numpy(toy["binary"](50)).double()
    vae.output.weight.zero_()
    weights = weights_of(vae, x, Gaussian(*torch.zeros(2, 50, 2).double()))
    exact = vae.likelihood.log_prob(vae.output.bias.expand(50, -1), x)
    off = (weights.log_likelihood - exact).abs()
    assert off.max() < 0.03
    assert (weights.ess > 800).all()
    assert (weights.pareto_k < 0.5).all()


@torch.no_grad()
def test_neither_chunks_nor_other_images_change_an_estimate(toy):
    vae, x, q, _ = two_modes(toy, 6)
    whole = weights_of(vae, x, q, 500)
    rows = torch.tensor([4, 1])
    for chunk in (7, 500):
        some = weights_of(vae, x[rows], q.select(rows), 500, images=[4, 1], chunk=chunk)
        torch.testing.assert_close(
            some.log_block_means, whole.log_block_means[rows], rtol=1e-12, atol=1e-12
        )


@pytest.mark.parametrize(
    ("changes", "samples"),
    [
        ({"latent_dim": proposal.FEW_LATENTS + 1}, 1000),
        ({}, proposal.LEAST_SAMPLES - 1),
        ({"posterior": "flow", "kl": "sampled"}, 1000),
        ({"posterior": "categorical", "prior": "uniform"}, 1000),
    ],
)
@torch.no_grad()
def test_else_all_samples_are_of_q(toy, changes, samples):
    vae, x = toy["vae"](**changes), torch.from_numpy(toy["binary"](3)).double()
    q, noise = vae.encode(x), image_noise(vae, 0, Purpose.IMPORTANCE, range(3))
    found = proposal.proposal(vae, q, noise, samples).sample(20, noise(20, 30))
    for computed, wanted in zip(found, q.sample(noise(20, 30)), strict=True):
        assert torch.equal(computed, wanted)
