import math

import numpy as np
import pytest
import torch
from hypothesis import given
from hypothesis import strategies as st

from elboflow.vae.measure.estimate import (
    ImportanceWeights,
    estimate_elbo,
    estimate_log_likelihood,
    image_noise,
)
from elboflow.vae.model import draws
from elboflow.vae.noise import Purpose


def exact_log_likelihood(vae, x):
    """log p(x) with a 2-D latent, by the trapezoid rule on [-7, 7]^2."""
    nodes = torch.linspace(-7, 7, 401, dtype=torch.float64)
    z = torch.cartesian_prod(nodes, nodes)[:, None]
    with torch.no_grad():
        logits, log_prior = vae.decode(z), vae.prior.log_prob(z)
        joint = [log_prior + vae.likelihood.log_prob(logits, image[None]) for image in x]
    return torch.cat(joint, dim=1).logsumexp(0) + 2 * math.log(14 / 400)


def estimates(toy, samples=2000, chunk=150, images=6):
    vae, x = toy["vae"](), torch.from_numpy(toy["binary"](images)).double()
    with torch.no_grad():
        for parameter in vae.decoder.parameters():
            parameter.mul_(3)  # so that z matters and the posterior is no Gaussian
        for layer in (vae.posterior.mean, vae.posterior.log_sd):
            layer.weight.zero_()
        vae.posterior.log_sd.bias.fill_(0.4)  # q = N(0, 1.5^2), wider than prior and posterior
        posterior = vae.encode(x)
        ids = range(images)
        elbo = estimate_elbo(
            vae, x, posterior, image_noise(vae, 0, Purpose.ELBO, ids), samples, chunk
        )
        weights = estimate_log_likelihood(
            vae, x, posterior, image_noise(vae, 0, Purpose.IMPORTANCE, ids), samples, chunk
        )
    return elbo, weights, exact_log_likelihood(vae, x)


@pytest.mark.promise(
    "log_likelihood, monte_carlo_error",
    "each image agrees with the exact value",
    "2-D z by quadrature, 2000 samples, q too wide: 5 standard errors",
)
def test_importance_sampling_agrees_with_quadrature_within_its_error(toy):
    _, weights, exact = estimates(toy)
    assert ((weights.log_likelihood - exact).abs() < 5 * weights.monte_carlo_error).all()
    assert (weights.monte_carlo_error < 0.1).all()


@pytest.mark.promise(
    "elbo",
    "below log p(x) of each image; ELBO = -distortion - rate",
    "2-D z by quadrature, 2000 samples",
)
def test_elbo_lies_below_the_evidence(toy):
    elbo, _, exact = estimates(toy)
    assert (elbo.elbo < exact).all()
    torch.testing.assert_close(elbo.elbo, -elbo.distortion - elbo.rate)


def test_chunks_change_nothing(toy):
    one, other = (estimates(toy, samples=100, chunk=chunk) for chunk in (7, 100))
    torch.testing.assert_close(one[0].elbo, other[0].elbo, rtol=1e-12, atol=1e-12)
    torch.testing.assert_close(
        one[1].log_likelihood, other[1].log_likelihood, rtol=1e-12, atol=1e-12
    )


@pytest.mark.promise(
    "log_likelihood",
    "exact where q is the posterior",
    "a decoder that does not use z",
)
def test_all_weights_are_the_evidence_when_z_is_not_used(toy):
    vae, x = toy["vae"](), torch.from_numpy(toy["binary"](3)).double()
    with torch.no_grad():
        for layer in (vae.output.weight, vae.posterior.mean.weight, vae.posterior.log_sd.weight):
            layer.zero_()
        noise = image_noise(vae, 0, Purpose.IMPORTANCE, range(3))
        weights = estimate_log_likelihood(vae, x, vae.encode(x), noise, samples=50, chunk=20)
        evidence = vae.likelihood.log_prob(vae.output.bias.expand(3, -1), x)
    torch.testing.assert_close(weights.log_likelihood, evidence)
    torch.testing.assert_close(weights.ess, torch.full((3,), 50.0).double())
    assert (weights.monte_carlo_error < 1e-6).all()


@given(st.lists(st.floats(-800, 800), min_size=2, max_size=30))
def test_weights_far_beyond_float64_are_summed(log_weights):
    found = ImportanceWeights(torch.tensor(log_weights, dtype=torch.float64)[:, None])
    largest = max(log_weights)
    scaled = np.exp(np.array(log_weights) - largest)
    normalised = scaled / scaled.sum()
    direct = largest + math.log(scaled.mean())
    assert found.log_likelihood.item() == pytest.approx(direct, abs=1e-9)
    assert found.ess.item() == pytest.approx(1 / np.square(normalised).sum(), rel=1e-9)
    assert found.largest_weight.item() == pytest.approx(normalised.max(), rel=1e-9)
    relative = normalised.std(ddof=1) * len(scaled) / len(scaled) ** 0.5
    assert found.monte_carlo_error.item() == pytest.approx(relative, rel=1e-6, abs=1e-7)


def test_noise_belongs_to_an_image_not_to_its_place_in_a_chunk(toy):
    vae = toy["vae"]()
    all_images = image_noise(vae, 3, Purpose.ELBO, range(10))(0, 20)
    some = image_noise(vae, 3, Purpose.ELBO, [7, 2])(5, 4)
    assert torch.equal(some, all_images[5:9][:, [7, 2]])


def test_heavy_tails_and_single_samples_are_seen():
    """Weights with Pareto tails of shape 0.2 and 1.2, and two of one sample only."""
    uniform = torch.linspace(0, 1, 1002, dtype=torch.float64)[1:-1]
    alone = torch.zeros(1000, dtype=torch.float64)
    alone[123] = math.log(1500)
    weights = ImportanceWeights(
        torch.stack([-0.2 * uniform.log(), -1.2 * uniform.log(), alone], dim=1)
    )
    assert (weights.largest_weight > 0.5).tolist() == [False, False, True]
    assert weights.pareto_k[0] < 0.5
    assert 0.8 < weights.pareto_k[1] < 1.4


def test_pieces_that_fit_the_cache_change_nothing(toy, monkeypatch):
    vae, x = toy["vae"](), torch.from_numpy(toy["binary"](6)).double()
    z = image_noise(vae, 0, Purpose.ELBO, range(6))(0, 20)
    with torch.no_grad():
        whole = draws.log_likelihood(vae, x, z)
        monkeypatch.setattr(draws, "IN_CACHE", 3 * x.numel())
        assert torch.allclose(draws.log_likelihood(vae, x, z), whole, rtol=1e-12)
