"""Estimators of gradients against the gradients of closed forms."""

from collections.abc import Callable, Iterator
from typing import Any

import numpy as np
import torch
from checks.models import PIXELS, fill, float64, make_vae, noise, tabular
from checks.rows import Row, largest, sampled
from torch import Tensor

from elboflow.vae.data import ImageShape
from elboflow.vae.model.draws import draw
from elboflow.vae.model.gaussian import Gaussian
from elboflow.vae.training.objectives import (
    Bound,
    elbo,
    enumerated,
    importance_weighted,
    score_function,
)

STL, DREG = "sticking_the_landing", "doubly_reparametrised"


@torch.enable_grad()
def gradient(bound: Callable[..., Bound], how: str, mu: float, s: float, k: int = 1) -> Tensor:
    """d bound / dmu and d / ds, of 20,000 copies of x = 1.2, shape (2, 20000)."""
    vae = make_vae(ImageShape(1, 1, 1, 1), likelihood="gaussian", latent_dim=1, likelihood_scale=1)
    fill(vae.output, 1.0, 0.0)
    leaves = [torch.full((20_000, 1), v, dtype=torch.float64, requires_grad=True) for v in (mu, s)]
    q, x = Gaussian(leaves[0], leaves[1].log()), float64([1.2]).expand(20_000, 1)
    values = bound(draw(vae, x, noise(k, 20_000, 1), q, how)).objective
    return torch.cat(torch.autograd.grad(values.sum(), leaves), 1).T


def gradients(images: np.ndarray) -> Iterator[Row]:
    """z ~ N(0, 1), x | z ~ N(z, 1): the ELBO has the derivatives x - 2 mu and 1 / s - 2 s."""

    def sampled_elbo(draws: Any) -> Bound:
        return elbo(draws, "sampled")

    at = (0.3, 0.8)
    for how in ("pathwise", STL):
        for name, exact, found in zip(
            ("mu", "s"), (0.6, -0.35), gradient(sampled_elbo, how, *at), strict=True
        ):
            yield sampled(f"d ELBO / d{name}, {how}", exact, found)
    at_posterior = gradient(sampled_elbo, STL, 0.6, 0.5**0.5)
    yield largest(f"{STL} against 0 where q = p(z given x)", 0.0, at_posterior)
    one, other = gradient(importance_weighted, DREG, *at), gradient(sampled_elbo, STL, *at)
    yield largest(f"{DREG}, k = 1, against {STL}", other, one)
    ten = [gradient(importance_weighted, how, *at, k=10) for how in ("pathwise", DREG)]
    for name, difference in zip(("mu", "s"), ten[1] - ten[0], strict=True):
        yield sampled(f"d L_10 / d{name}, {DREG} less pathwise", 0.0, difference)


@torch.enable_grad()
def discrete_gradients(images: np.ndarray) -> Iterator[Row]:
    """d ELBO / d logit_z = q_z (f_z - E f), f = log p(x, z) - log q(z), of a z of three values."""
    logits = noise(1, 3, seed=2).repeat(20_000, 1).requires_grad_()
    model = tabular(noise(3, PIXELS), logits.log_softmax(-1))
    x = (noise(1, PIXELS, seed=3) > 0).double().expand(20_000, -1)
    q, shown = logits[0].softmax(-1).detach().numpy(), noise(3, PIXELS).numpy()
    f = (shown * x[0].numpy() - np.logaddexp(0, shown)).sum(1) - np.log(q)
    expected = q * (f - q @ f)
    (exact,) = torch.autograd.grad(enumerated(model, x).objective.sum(), logits, retain_graph=True)
    yield largest("d ELBO / d logits of a discrete z", expected, exact[0])
    bound = score_function(draw(model, x, noise(2, 20_000, 3)))
    (found,) = torch.autograd.grad(bound.objective.sum(), logits)
    for value in range(3):
        what = f"d ELBO / d logit {value}, score_function"
        yield sampled(what, expected[value], found[:, value])
