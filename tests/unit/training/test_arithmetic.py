"""Reduced precision: what is rounded, and that nothing else is."""

import pytest
import torch
from torch.distributions import Distribution, Independent, Normal

from elboflow.vae.arithmetic import set_arithmetic
from elboflow.vae.training.objectives import draw, elbo


@pytest.fixture
def arithmetic():
    """set_arithmetic, undone afterwards."""
    yield set_arithmetic
    set_arithmetic("float32", deterministic=False)
    Distribution.set_default_validate_args(True)


def estimates(toy, precision):
    """Bound and log weights of one model, in a precision."""
    vae = toy["vae"](precision=precision)
    x = torch.from_numpy(toy["binary"](40)).to(vae.dtype)
    noise = torch.randn(5, 40, 2, generator=torch.Generator().manual_seed(0), dtype=torch.float64)
    draws = draw(vae, x, noise.to(vae.dtype))
    return vae, elbo(draws, "analytic"), draws.log_weights


def test_bf16_rounds_the_layers_and_keeps_parameters_and_densities_in_float32(toy):
    vae, bound, log_weights = estimates(toy, "bf16")
    _, exact, exact_log_weights = estimates(toy, "float64")
    assert {parameter.dtype for parameter in vae.parameters()} == {torch.float32}
    for rounded, reference in [(bound.elbo, exact.elbo), (log_weights, exact_log_weights)]:
        assert rounded.dtype == torch.float32
        difference = (rounded - reference).abs().max().item()
        assert 1e-5 < difference < 0.2  # 7 bits, of sums of 12 terms of about log 2


def test_float32_is_closer_to_float64_than_bf16(toy):
    exact, single, rounded = (
        estimates(toy, precision)[1].elbo.double() for precision in ("float64", "float32", "bf16")
    )
    assert (single - exact).abs().max() < 1e-5 < (rounded - exact).abs().max()


def test_tf32_is_float32_on_a_cpu(toy, arithmetic):
    arithmetic("tf32", deterministic=True)
    one = estimates(toy, "tf32")[1].elbo
    arithmetic("float32", deterministic=True)
    assert torch.equal(one, estimates(toy, "float32")[1].elbo)


def test_switches_are_set_and_set_back(arithmetic):
    arithmetic("tf32", deterministic=False)
    assert torch.backends.cuda.matmul.allow_tf32
    assert not torch.are_deterministic_algorithms_enabled()
    arithmetic("float32", deterministic=True)
    assert not torch.backends.cuda.matmul.allow_tf32
    assert torch.are_deterministic_algorithms_enabled()


def test_a_model_trains_in_bf16(toy):
    training = toy["trained"](precision="bf16", epochs=60)
    first, last = training.metrics[0], training.metrics[-1]
    assert last["train_elbo_nats"] > first["train_elbo_nats"] + 0.1


def test_a_distribution_of_what_diverged_is_nan_and_raises_nothing(arithmetic):
    arithmetic("float32", deterministic=True)
    nan = torch.tensor(torch.nan)
    assert Independent(Normal(nan[None], nan[None].exp()), 1).log_prob(nan[None]).isnan()
