"""The best q of a family for each image: against closed forms, and what is left of the gap."""

import numpy as np
import pytest
import torch

from elboflow.vae.annealing.amortisation import COLUMNS, best_posterior, split_gap
from elboflow.vae.measure.estimate import image_noise
from elboflow.vae.model.exact_linear import linear_gaussian
from elboflow.vae.noise import Purpose
from elboflow.vae.spec import BoundsSpec

SPEC = BoundsSpec(elbo_samples=400, chunk_samples=100)
IMAGES = 12


def linear_model(toy, posterior="gaussian", latent_dim=3):
    """A linear-Gaussian model whose p(z | x) has dependent dimensions, and a q far from it."""
    vae = toy["vae"](
        likelihood="gaussian",
        posterior=posterior,
        encoder_layers=[],
        decoder_layers=[],
        likelihood_scale=0.3,
        latent_dim=latent_dim,
    )
    random = np.random.default_rng(0)
    with torch.no_grad():
        weights = random.normal(size=tuple(vae.output.weight.shape))
        weights[:, 1] += weights[:, 0]  # what they explain, they explain together
        vae.output.weight.copy_(torch.from_numpy(0.2 * weights))
    x = 0.4 + 0.4 * torch.from_numpy(random.normal(size=(IMAGES, 12)))
    return vae.requires_grad_(False), x


def noise(vae):
    return image_noise(vae, 1, Purpose.BEST_POSTERIOR, range(IMAGES))


def kl(mean, covariance, other, precision):
    """KL of N(mean, covariance) to N(other, precision^-1), in nats, for each image."""
    away = mean - other
    square = np.einsum("bi,ij,bj->b", away, precision, away)
    trace = np.einsum("...ij,ji->...", covariance, precision)
    log_det = np.linalg.slogdet(covariance)[1] + np.linalg.slogdet(precision)[1]
    return 0.5 * (trace + square - mean.shape[1] - log_det)


@pytest.mark.promise(
    "amortisation_gap, approximation_gap",
    "the best diagonal q is found: means of p(z|x), variances 1 / diagonal of its precision",
    "linear-Gaussian model, 12 images: each ELBO within 0.005 nats of the exact optimum",
)
def test_the_search_finds_the_best_diagonal_q_of_a_linear_model(toy):
    vae, x = linear_model(toy)
    exact = linear_gaussian(vae)
    means, covariance = exact.posterior(x.numpy())
    precision = np.linalg.inv(covariance)
    q = best_posterior(vae, x, vae.encode(x), noise(vae))
    variances = (2 * q.log_sd).exp().numpy()
    np.testing.assert_allclose(variances, np.tile(1 / precision.diagonal(), (IMAGES, 1)), rtol=0.1)
    best = exact.elbo(x.numpy(), means, np.tile(1 / precision.diagonal(), (IMAGES, 1)))
    lost = best - exact.elbo(x.numpy(), q.mean.numpy(), variances)
    assert (lost > -1e-9).all()
    assert lost.max() < 0.005


@pytest.mark.promise(
    "approximation_gap",
    "0 where the family holds p(z|x)",
    "linear-Gaussian model, full covariance: each KL to p(z|x) below 0.005 nats",
)
def test_the_search_finds_the_posterior_itself_where_the_family_holds_it(toy):
    vae, x = linear_model(toy, "full_covariance")
    means, covariance = linear_gaussian(vae).posterior(x.numpy())
    q = best_posterior(vae, x, vae.encode(x), noise(vae))
    found = (q.factor @ q.factor.mT).numpy()
    assert kl(q.mean.numpy(), found, means, np.linalg.inv(covariance)).max() < 0.005


@pytest.mark.promise(
    "amortisation_gap",
    "as in closed form within its error, which is that of paired draws",
    "linear-Gaussian model, 12 images within 4 errors, their mean square z from 0.4 to 2",
)
@pytest.mark.parametrize("posterior", ["gaussian", "full_covariance"])
def test_both_parts_are_those_of_the_closed_form(toy, posterior):
    vae, x = linear_model(toy, posterior)
    exact, q = linear_gaussian(vae), vae.encode(x)
    means, covariance = exact.posterior(x.numpy())
    precision = np.linalg.inv(covariance)
    own = torch.diag_embed((2 * q.log_sd).exp()) if posterior == "gaussian" else q.factor
    own = own.numpy() if posterior == "gaussian" else (own @ own.mT).numpy()
    gap = kl(q.mean.numpy(), own, means, precision)
    rest = 0.0
    if posterior == "gaussian":
        rest = kl(means, np.diag(1 / precision.diagonal()), means, precision)
    found = {name: values.numpy() for name, values in split_gap(vae, SPEC, 1, range(12), x).items()}
    assert tuple(sorted(found)) == tuple(sorted(COLUMNS))
    off = found["amortisation_nats"] - (gap - rest)
    z = off / found["amortisation_error_nats"]
    assert np.abs(z).max() < 4
    assert 0.4 < np.square(z).mean() < 2
    log_p = exact.log_likelihood(x.numpy())
    left = log_p - found["best_elbo_nats"] - rest
    assert np.abs(left).mean() < 4 * found["best_elbo_error_nats"].mean()


def test_from_the_best_q_on_nothing_is_gained(toy):
    """An encoder that is right already: the search neither loses nor gains."""
    vae, x = linear_model(toy)
    exact = linear_gaussian(vae)
    _, covariance = exact.posterior(x.numpy())
    precision = np.linalg.inv(covariance)
    to_mean = covariance @ exact.weights.T / exact.variance
    with torch.no_grad():
        vae.posterior.mean.weight.copy_(torch.from_numpy(to_mean))
        vae.posterior.mean.bias.copy_(torch.from_numpy(-to_mean @ exact.mean))
        vae.posterior.log_sd.weight.zero_()
        vae.posterior.log_sd.bias.copy_(torch.from_numpy(-0.5 * np.log(precision.diagonal())))
    found = split_gap(vae, SPEC, 1, range(IMAGES), x)
    z = found["amortisation_nats"] / found["amortisation_error_nats"]
    assert z.abs().max() < 4
    assert found["amortisation_nats"].abs().mean() < 0.005


def test_images_do_not_depend_on_those_beside_them(toy):
    vae, x = linear_model(toy)
    both = split_gap(vae, SPEC, 1, range(4), x[:4])
    one = split_gap(vae, SPEC, 1, [2], x[2:3])
    for name, values in one.items():
        torch.testing.assert_close(values[0], both[name][2], rtol=1e-9, atol=1e-9)


@pytest.mark.parametrize(
    "changes",
    [
        {"posterior": "flow", "kl": "sampled"},
        {"second_latent_dim": 2, "kl": "sampled"},
    ],
)
def test_families_that_are_not_searched_have_no_columns(toy, changes):
    vae = toy["vae"](**changes)
    x = torch.from_numpy(toy["binary"](3)).double()
    assert split_gap(vae, SPEC, 1, range(3), x) == {}


@pytest.mark.parametrize("prior", ["mixture", "vamp"])
def test_a_sampled_kl_is_searched_as_well(toy, prior):
    vae = toy["vae"](prior=prior, kl="sampled").requires_grad_(False)
    x = torch.from_numpy(toy["binary"](6)).double()
    found = split_gap(vae, SPEC, 1, range(6), x)
    assert (found["amortisation_nats"] > -4 * found["amortisation_error_nats"]).all()
