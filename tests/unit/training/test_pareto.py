import math

import numpy as np
import pytest
import torch

from elboflow.vae.measure.pareto import reliable_up_to, tail_length, tail_shape

IMAGES = 100


def pareto_log_weights(shape, samples, seed=0):
    """Weights u^-shape: a Pareto tail of that shape, by the inverse CDF; (K, B)."""
    uniform = np.random.default_rng(seed).random((samples, IMAGES))
    return torch.from_numpy(-shape * np.log(uniform))


@pytest.mark.parametrize("shape", [0.2, 0.5, 0.7, 1.0, 1.5])
def test_k_of_known_tails(shape):
    """The estimator's variance is about (1 + k)^2 / M (Zhang and Stephens, 2009)."""
    samples = 10_000
    found, tail = tail_shape(pareto_log_weights(shape, samples)), tail_length(samples)
    expected = (tail * shape + 10 * 0.5) / (tail + 10)  # with the prior of ten weights at 1/2
    spread = (1 + shape) / tail**0.5
    assert abs(found.mean().item() - expected) < 0.03
    assert 0.6 * spread < found.std().item() < 1.4 * spread


def test_light_tails_have_small_k():
    """Normal and bounded weights have all moments."""
    random = np.random.default_rng(1)
    bounded = torch.from_numpy(np.log(random.uniform(0, 1, (10_000, IMAGES))))
    assert (tail_shape(bounded) < 0).double().mean() > 0.95  # k is -1, but for the prior
    lognormal = torch.from_numpy(random.normal(size=(10_000, IMAGES)) * 0.3)
    assert (tail_shape(lognormal) < 0.5).all()


def test_the_scale_of_weights_changes_nothing():
    log_weights = pareto_log_weights(0.8, 3000)
    whole = tail_shape(log_weights)
    torch.testing.assert_close(tail_shape(log_weights - 5000.0), whole, rtol=1e-6, atol=1e-6)


def test_degenerate_tails():
    alike = torch.full((1000, 2), -300.0) + 1e-5 * torch.randn(1000, 2)
    assert (tail_shape(alike) < 0.1).all()  # only rounding apart: as good as weights can be
    apart = torch.arange(1000.0).double()[:, None] * 100
    assert tail_shape(apart).item() == math.inf
    assert tail_shape(torch.randn(20, 3)).isnan().all()  # too few to say


def test_the_limit_is_lower_for_fewer_samples():
    assert reliable_up_to(100) == pytest.approx(0.5)
    assert reliable_up_to(10**5) == 0.7
    assert tail_length(10**5) == math.ceil(3 * math.sqrt(10**5))
    assert tail_length(100) == 20


@pytest.mark.parametrize("larger", [20, 60])
def test_weights_of_few_values_have_no_tail(larger):
    """As those of a discrete z: a tail most of which ties with the bulk is bounded."""
    log_weights = torch.zeros(5000, IMAGES, dtype=torch.float64)
    log_weights[:larger] = 0.01
    assert (tail_shape(log_weights) < 0.1).all()
