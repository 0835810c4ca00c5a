"""The rate in two parts, from a model to rows of its tables."""

import dataclasses

import numpy as np
import pytest
import torch

from elboflow.vae.measure.aggregate import Estimate
from elboflow.vae.measure.checks import ImpossibleResult
from elboflow.vae.measure.rate_parts import RateParts, check_parts, quantities_of_parts, rate_parts
from elboflow.vae.model.exact_linear import linear_gaussian
from elboflow.vae.model.simulation import FIRST_IMAGE, simulate

N = 50


def estimate(values, error=0.3):
    values = torch.as_tensor(values).double()
    return Estimate(values, torch.full_like(values, error), 2 * values)


def parts_of(upper, lower):
    rate = torch.full((N,), 4.0), torch.full((N,), 0.1)
    return RateParts(estimate(upper), estimate(lower), estimate(upper), rate)


def per_image(rate, rate_error=None):
    errors = None if rate_error is None else np.full(N, rate_error)
    fields = {"rate": rate, "elbo": -20 - rate, "rate_monte_carlo_error": errors}
    return dataclasses.make_dataclass("Images", fields)(**fields)


RATE = np.random.default_rng(0).uniform(2, 4, N)


def test_the_rate_is_mutual_information_and_marginal_kl():
    parts = parts_of(np.linspace(0, 1, N), np.linspace(0, 0.2, N))
    rows = {q.name: q for q in quantities_of_parts(parts, per_image(RATE, 0.4))}
    information, marginal = rows["mutual_information"], rows["marginal_kl"]
    assert information.value == pytest.approx(RATE.mean() - 0.5)
    assert marginal.value == pytest.approx(0.5)
    assert rows["mutual_information_upper"].value == pytest.approx(RATE.mean() - 0.1)
    assert rows["rate_simulated"].value == 4
    assert marginal.monte_carlo_error == pytest.approx(0.3 / N**0.5)
    assert information.monte_carlo_error == pytest.approx(0.5 / N**0.5)
    pseudo = 2 * np.linspace(0, 1, N)
    assert marginal.data_error == pytest.approx(pseudo.std(ddof=1) / N**0.5)
    assert information.data_error == pytest.approx((RATE - pseudo).std(ddof=1) / N**0.5)


def statuses(upper, lower, rate=RATE):
    return {
        name: status for name, status, _ in check_parts(parts_of(upper, lower), per_image(rate))
    }


def test_parts_beyond_their_bounds_fail():
    assert set(statuses(0.1 * RATE, 0.05 * RATE).values()) == {"ok"}
    with pytest.raises(ImpossibleResult, match="mutual_information - rate = "):
        statuses(-0.1 * RATE, -0.2 * RATE)
    with pytest.raises(ImpossibleResult, match="mutual_information - log_images = "):
        statuses(0.1 * RATE, 0.05 * RATE, RATE + 3)
    with pytest.raises(ImpossibleResult, match="marginal_kl_lower - marginal_kl = "):
        statuses(0.1 * RATE, 0.2 * RATE)
    with pytest.raises(ImpossibleResult, match="not finite"):
        statuses(0.1 * RATE, np.nan * RATE)


def test_a_collapsed_q_has_neither_but_for_rounding():
    none = np.zeros(N)
    assert statuses(none - 1e-6, none, none)["mutual_information_not_above_rate"] == "ok"


@torch.no_grad()
def test_a_model_is_held_against_images_of_its_own(toy):
    vae, x = toy["vae"](), torch.from_numpy(toy["binary"](30)).double()
    found = rate_parts(vae, 1, x)
    again = rate_parts(vae, 1, x)
    assert torch.equal(found.lower.pseudo_values, again.lower.pseudo_values)
    assert len(found.simulated.values) == 30
    assert not torch.equal(found.simulated.values, found.upper.values)
    assert rate_parts(vae, 1, x[:19]) is None


def fitted(toy):
    """A linear-Gaussian model of two latents whose q is the exact posterior."""
    linear = {"likelihood": "gaussian", "encoder_layers": [], "decoder_layers": []}
    vae = toy["vae"](**linear, likelihood_scale=0.3)
    columns = torch.linalg.qr(vae.output.weight)[0]  # orthogonal: the posterior is diagonal
    vae.output.weight.copy_(columns * torch.tensor([2.0, 1.0]))
    exact = linear_gaussian(vae)
    covariance = torch.from_numpy(exact.posterior(exact.mean[None])[1])
    to_mean = covariance @ vae.output.weight.T / exact.variance
    vae.posterior.mean.weight.copy_(to_mean)
    vae.posterior.mean.bias.copy_(-to_mean @ vae.output.bias)
    vae.posterior.log_sd.weight.zero_()
    vae.posterior.log_sd.bias.copy_(0.5 * covariance.diagonal().log())
    return vae, -0.5 * covariance.diagonal().log().sum().item()


@pytest.mark.promise(
    "marginal_kl_simulated, rate_simulated",
    "are what the model's own images give: where q is the posterior, the marginal KL is truly 0",
    "linear-Gaussian model, N = 300: as of other such images, and the exact rate, in 4 errors",
)
@torch.no_grad()
def test_images_of_the_model_have_the_upper_bound_of_no_holes(toy):
    vae, rate = fitted(toy)
    x = simulate(vae, 7, range(FIRST_IMAGE, FIRST_IMAGE + 300))[1]
    found = rate_parts(vae, 1, x)
    errors = [v.pseudo_values.std().item() / 300**0.5 for v in (found.upper, found.simulated)]
    upper, simulated = found.upper.values.mean().item(), found.simulated.values.mean().item()
    assert simulated == pytest.approx(upper, abs=4 * np.hypot(*errors))
    assert simulated > 4 * errors[1]
    lower = found.lower.values.mean().item()
    assert abs(lower) < max(2 * found.lower.pseudo_values.std().item() / 300**0.5, 0.005)
    made, _ = found.simulated_rate
    assert made.mean().item() == pytest.approx(rate, abs=4 * made.std().item() / 300**0.5)
