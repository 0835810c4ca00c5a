"""The linear-Gaussian model on scikit-learn's digits, all 1797 rows, as level / 16."""

import numpy as np
import pytest
from scipy.stats import multivariate_normal
from sklearn.datasets import load_digits
from sklearn.decomposition import PCA

from elboflow.vae.model.linear_gaussian import LinearGaussian, maximum_likelihood

DIGITS = load_digits().data / 16


def elbo_at(model: LinearGaussian, shrink: float = 1, widen: float = 1) -> np.ndarray:
    """The ELBO of the exact posterior with its means shrunk and its variances widened."""
    mean, covariance = model.posterior(DIGITS)
    variance = np.broadcast_to(np.diag(covariance), mean.shape)
    return model.elbo(DIGITS, shrink * mean, widen * variance)


@pytest.mark.parametrize(
    ("latent_dim", "golden", "rate"),
    [
        *((1, -3.748464, 1.199963), (2, 0.005707, 2.513657), (5, 8.907637, 6.481393)),
        *((10, 17.451947, 12.796141), (20, 27.277300, 25.438269), (30, 34.192361, 40.643509)),
    ],
)
def test_the_optimum_is_that_of_the_closed_form(
    latent_dim: int, golden: float, rate: float
) -> None:
    """-[D log 2 pi + sum of log kept eigenvalues + (D - L) log variance + D] / 2, per image."""
    values = np.linalg.eigvalsh(np.cov(DIGITS, rowvar=False, ddof=0))[::-1]
    variance = values[latent_dim:].mean()
    rest = (64 - latent_dim) * np.log(variance)
    expected = -0.5 * (64 * np.log(2 * np.pi) + np.log(values[:latent_dim]).sum() + rest + 64)
    model = maximum_likelihood(DIGITS, latent_dim)
    found = model.log_likelihood(DIGITS).mean()
    assert found == pytest.approx(expected, abs=1e-9)
    assert found == pytest.approx(golden, abs=1e-6)
    np.testing.assert_allclose(elbo_at(model), model.log_likelihood(DIGITS), atol=1e-9)
    assert 0.5 * np.log(values[:latent_dim] / variance).sum() == pytest.approx(rate, abs=1e-6)


def test_density_and_optimum_agree_with_other_software() -> None:
    model = maximum_likelihood(DIGITS, 10)
    covariance = model.weights @ model.weights.T + model.variance * np.eye(64)
    expected = multivariate_normal(model.mean, covariance).logpdf(DIGITS)
    np.testing.assert_allclose(model.log_likelihood(DIGITS), expected, rtol=1e-9)
    # scikit-learn divides the covariance by N - 1, which is not quite the maximum.
    below = model.log_likelihood(DIGITS).mean() - PCA(10).fit(DIGITS).score(DIGITS)
    assert 0 < below < 1e-5
    assert model.variance == pytest.approx(0.0227513720, abs=1e-9)


def test_the_gap_of_a_perturbed_posterior_is_its_divergence() -> None:
    """Means times 0.9 and variances times 2: log p(x) - ELBO = KL(q || p(z | x))."""
    model = maximum_likelihood(DIGITS, 10)
    mean, covariance = model.posterior(DIGITS)
    variance = np.diag(covariance)
    divergence = 0.5 * (2 - 1 - np.log(2)) * 10 + 0.5 * (np.square(0.1 * mean) / variance).sum(1)
    elbo = elbo_at(model, 0.9, 2)
    np.testing.assert_allclose(model.log_likelihood(DIGITS) - elbo, divergence, atol=1e-9)
    assert elbo.mean() == pytest.approx(15.206256, abs=1e-6)
    assert divergence.mean() == pytest.approx(2.245691, abs=1e-6)


def test_bounds_of_any_other_posterior_are_lower() -> None:
    model = maximum_likelihood(DIGITS, 5)
    best = elbo_at(model).mean()
    for shrink, widen in ((0.99, 1), (1.01, 1), (1, 0.98), (1, 1.02)):
        assert elbo_at(model, shrink, widen).mean() < best
