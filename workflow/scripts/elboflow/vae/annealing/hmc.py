"""Hamiltonian Monte Carlo: many chains, and a density of its own for each image.

The density is a weighted sum of several, as on a path from one to another: each is evaluated once
where a chain stands, and serves all weights. Neal, MCMC using Hamiltonian dynamics,
arXiv:1206.1901. Shapes: C = chains, B = images, L = latent dimensions, P = parts of the density;
step sizes are in units of z.
"""

from collections.abc import Callable, Sequence
from dataclasses import dataclass

import torch
from torch import Tensor

ACCEPTANCE = 0.65  # of proposals, where HMC is about most efficient (there, section 4.4)
GAIN = 0.5  # of log step size per unit of acceptance above or below that
STEP_SIZES = (1e-4, 2.0)  # beyond which no adaptation goes

LogDensity = Callable[[Tensor], Tensor]
"""Maps z of shape (C, B, L) to log-densities of shape (C, B), in nats, with a gradient."""


@dataclass(frozen=True)
class Place:
    """Where chains stand, z of shape (C, B, L), with the parts of the log-density there.

    values: shape (P, C, B), float64.
    slopes: their gradients, shape (P, C, B, L).
    """

    z: Tensor
    values: Tensor
    slopes: Tensor

    def log_density(self, weights: Tensor) -> Tensor:
        """Of the parts' weights, shape (P,): shape (C, B), float64."""
        return torch.tensordot(weights, self.values, 1)

    def slope(self, weights: Tensor) -> Tensor:
        """Its gradient, shape (C, B, L)."""
        return torch.tensordot(weights.to(self.slopes.dtype), self.slopes, 1)


def place(parts: Sequence[LogDensity], z: Tensor) -> Place:
    """Evaluate the parts of a log-density and their gradients."""
    with torch.enable_grad():
        leaf = z.detach().requires_grad_()
        values = [part(leaf) for part in parts]
        slopes = [torch.autograd.grad(value.sum(), leaf)[0] for value in values]
    return Place(z, torch.stack(values).detach().double(), torch.stack(slopes))


def transition(
    parts: Sequence[LogDensity],
    weights: Tensor,
    start: Place,
    step_size: Tensor,
    leapfrog_steps: int,
    momentum: Tensor,
    uniform: Tensor,
) -> tuple[Place, Tensor]:
    """One proposal, accepted or not: leaves the densities invariant for any fixed step size.

    Args:
        parts: of the log-density, as those of `start`.
        weights: of the parts, float64, shape (P,).
        step_size: of each image, shape (B,).
        momentum: standard normal noise, shape (C, B, L).
        uniform: noise in (0, 1), float64, shape (C, B).

    Returns:
        The next place, and the probability of acceptance, float64, shape (C, B).
    """
    end, turned = _leapfrog(parts, weights, start, step_size, leapfrog_steps, momentum)
    gain = end.log_density(weights) - start.log_density(weights)
    gain = gain + (_kinetic(momentum) - _kinetic(turned))
    # A trajectory that diverged ends in inf or nan, and is refused.
    probability = gain.nan_to_num(nan=-torch.inf).clamp(max=0).exp()
    accepted = uniform < probability
    return _chosen(accepted, end, start), probability


def _chosen(accepted: Tensor, end: Place, start: Place) -> Place:
    """Of each chain one of two places."""
    each = accepted[..., None]
    return Place(
        torch.where(each, end.z, start.z),
        torch.where(accepted, end.values, start.values),
        torch.where(each, end.slopes, start.slopes),
    )


def adapted(step_size: Tensor, probability: Tensor) -> Tensor:
    """The step size after a look at acceptance, shape (B,); for pilot runs only.

    Robbins and Monro's stochastic approximation with a constant gain. A step size that depends on
    the chain's past would leave no density invariant.
    """
    excess = probability.mean(0).to(step_size.dtype) - ACCEPTANCE
    return (step_size * torch.exp(GAIN * excess)).clamp(*STEP_SIZES)


def _leapfrog(
    parts: Sequence[LogDensity],
    weights: Tensor,
    start: Place,
    step_size: Tensor,
    steps: int,
    momentum: Tensor,
) -> tuple[Place, Tensor]:
    """Place and momentum at the end of a trajectory (there, section 2.3)."""
    step = step_size[:, None].to(start.z.dtype)
    here, momentum = start, momentum + step / 2 * start.slope(weights)
    for number in range(1, steps + 1):
        here = place(parts, here.z + step * momentum)
        momentum = momentum + (step / 2 if number == steps else step) * here.slope(weights)
    return here, momentum


def _kinetic(momentum: Tensor) -> Tensor:
    return momentum.double().square().sum(-1) / 2
