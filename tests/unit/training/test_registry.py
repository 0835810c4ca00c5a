"""What is declared is what there is; and what holds of every objective, discrete z and model."""

from collections.abc import Mapping
from typing import Any

import pytest
import torch

from elboflow.vae.choices import CHOICES, GRADIENTS, OBJECTIVES, POSTERIORS, PRIORS
from elboflow.vae.model.likelihood import likelihoods
from elboflow.vae.model.posterior import posteriors
from elboflow.vae.model.prior import priors
from elboflow.vae.registry import Registry
from elboflow.vae.spec import SpecError
from elboflow.vae.training.objectives import discrete_gradients, objective, objectives

VALUES = 4
PAIRS = [
    {"posterior": posterior, "prior": prior, "latent_dim": VALUES}
    for posterior, one in POSTERIORS.items()
    for prior, other in PRIORS.items()
    if one.discrete and other.discrete
]
each_pair = pytest.mark.parametrize("pair", PAIRS, ids=str)


def noise(*shape: int, seed: int = 1) -> torch.Tensor:
    generator = torch.Generator().manual_seed(seed)
    return torch.randn(*shape, dtype=torch.float64, generator=generator)


@pytest.mark.parametrize("made", [likelihoods, posteriors, priors, objectives], ids=lambda m: m.key)
def test_what_is_declared_is_what_there_is(made: Registry) -> None:
    assert set(made.made) == set(made.declared) == set(CHOICES[made.key])
    assert all(made[name].choice == choice for name, choice in made.declared.items())


def test_a_discrete_z_has_its_own_gradients_and_the_plain_one() -> None:
    own = {name for name, choice in GRADIENTS.items() if choice.discrete}
    assert set(discrete_gradients.made) == own | {"pathwise"}


def test_names_that_are_not_declared_or_taken_are_refused() -> None:
    fresh = Registry("prior")
    with pytest.raises(LookupError, match=r"prior: 'cauchy' is not declared in vae/choices\.py"):
        fresh("cauchy")
    fresh("uniform")(type("Uniform", (), {}))
    with pytest.raises(LookupError, match="prior: 'uniform' is taken by"):
        fresh("uniform")
    with pytest.raises(SpecError, match="prior: 'cauchy' is unknown, choose from uniform"):
        fresh["cauchy"]


@each_pair
@torch.no_grad()
def test_a_discrete_z_is_drawn_with_its_probabilities(toy: Any, pair: Mapping[str, Any]) -> None:
    vae, every = toy["vae"](**pair), torch.eye(VALUES, dtype=torch.float64)
    q = vae.encode(torch.from_numpy(toy["binary"](3)).double())
    draws = 40_000
    z, log_q = q.sample(noise(draws, 3, VALUES))
    torch.testing.assert_close(log_q, q.log_prob(z))
    probabilities = q.log_prob_of_each(every).exp().T  # (B, L)
    torch.testing.assert_close(probabilities.sum(-1), torch.ones(3).double())
    torch.testing.assert_close(q.mean, probabilities)
    of_prior, log_p = vae.prior.sample(noise(draws, VALUES)), vae.prior.log_prob(every)
    for found, expected in ((z, probabilities), (of_prior, log_p.exp())):
        error = (expected * (1 - expected) / draws).sqrt()
        assert ((found.mean(0) - expected).abs() < 5 * error).all()
    kl = (probabilities * (probabilities.log() - log_p)).sum(-1)
    torch.testing.assert_close(q.kl(), kl)
    assert not q.detach().log_prob(z).requires_grad
    torch.testing.assert_close(q.nearer_to_prior(1.0).mean, q.mean)


def specifications() -> list[dict[str, Any]]:
    """Every objective with a continuous z, and every gradient of a discrete one."""
    continuous = [{"objective": name, "training_samples": 3} for name in OBJECTIVES]
    continuous += [{**one, "kl": "sampled"} for one in continuous]
    # score_function's gradient is that of its value on average alone: see test_discrete_gradients.
    exact = [name for name in discrete_gradients.made if name != "score_function"]
    return continuous + [{**pair, "gradient": name} for pair in PAIRS for name in exact]


@pytest.mark.parametrize("changes", specifications(), ids=str)
def test_an_objectives_gradient_is_that_of_finite_differences(
    toy: Any, changes: Mapping[str, Any]
) -> None:
    """In ten directions of all parameters, under the same noise."""
    spec, vae = toy["spec"](**changes), toy["vae"](**changes)
    x = torch.from_numpy(toy["binary"](5)).double()
    epsilon = noise(spec.training_samples, 5, spec.latent_dim)
    parameters, step = list(vae.parameters()), 1e-6
    bound = objective(vae, spec, x, epsilon, 1.0)
    for values in (bound.objective, bound.rate, bound.distortion):
        assert values.shape == (5,)
        assert values.dtype == torch.float64
        assert torch.isfinite(values).all()
    found = torch.cat([g.flatten() for g in torch.autograd.grad(bound.objective.sum(), parameters)])
    start = torch.nn.utils.parameters_to_vector(parameters).detach()

    @torch.no_grad()
    def at(values: torch.Tensor) -> torch.Tensor:
        torch.nn.utils.vector_to_parameters(values, parameters)
        return objective(vae, spec, x, epsilon, 1.0).objective.sum()

    directions = noise(10, len(start), seed=5)
    slopes = [(at(start + step * d) - at(start - step * d)) / (2 * step) for d in directions]
    torch.testing.assert_close(directions @ found, torch.stack(slopes), rtol=1e-6, atol=1e-6)
