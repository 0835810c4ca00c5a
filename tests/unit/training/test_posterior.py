import math

import pytest
import torch
from hypothesis import given
from hypothesis import strategies as st
from torch.distributions import Normal, kl_divergence

from elboflow.vae.model.gaussian import Gaussian
from elboflow.vae.model.priors import StandardNormal

MEAN, SD = [0.5, -1.0, 2.0], [0.3, 1.5, 1.0]


def posterior(mean: list[float], sd: list[float]) -> Gaussian:
    as_row = torch.tensor([mean], dtype=torch.float64)
    return Gaussian(as_row, torch.tensor([sd], dtype=torch.float64).log())


@pytest.mark.promise(
    "rate",
    "exact for a diagonal Gaussian q",
    "values computed elsewhere: 1e-12 nat",
)
def test_kl_has_its_closed_form():
    formula = [0.5 * (m**2 + s**2 - 1 - 2 * math.log(s)) for m, s in zip(MEAN, SD, strict=True)]
    kl = posterior(MEAN, SD).kl_per_dimension()[0].tolist()
    assert kl == pytest.approx(formula, abs=1e-14)
    assert sum(kl) == pytest.approx(3.5935076962177717, abs=1e-12)


@given(st.floats(-5, 5), st.floats(0.05, 5))
def test_kl_agrees_with_torch_and_is_not_negative(mean, sd):
    kl = posterior([mean], [sd]).kl_per_dimension().item()
    reference = kl_divergence(
        Normal(torch.tensor(mean, dtype=torch.float64), torch.tensor(sd, dtype=torch.float64)),
        Normal(torch.tensor(0.0, dtype=torch.float64), torch.tensor(1.0, dtype=torch.float64)),
    )
    assert kl == pytest.approx(reference.item(), abs=1e-9)
    assert kl >= -1e-12


def test_kl_is_the_mean_log_ratio_of_samples():
    q = posterior(MEAN, SD)
    noise = torch.randn(
        200_000, 1, 3, dtype=torch.float64, generator=torch.Generator().manual_seed(1)
    )
    z, log_q = q.sample(noise)
    ratio = log_q - StandardNormal().log_prob(z)
    error = ratio.std() / ratio.numel() ** 0.5
    assert abs(ratio.mean() - q.kl_per_dimension().sum()) < 5 * error


def test_densities_agree_with_torch():
    q = posterior(MEAN, SD)
    z = torch.tensor([[[0.1, -2.0, 3.0]], [[5.0, 0.0, -1.0]]], dtype=torch.float64)
    reference = Normal(
        torch.tensor(MEAN, dtype=torch.float64), torch.tensor(SD, dtype=torch.float64)
    )
    torch.testing.assert_close(q.log_prob(z), reference.log_prob(z).sum(-1))
    prior = (
        Normal(torch.zeros(3, dtype=torch.float64), torch.ones(3, dtype=torch.float64))
        .log_prob(z)
        .sum(-1)
    )
    torch.testing.assert_close(StandardNormal().log_prob(z), prior)
