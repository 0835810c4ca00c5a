"""Hamiltonian Monte Carlo: many chains, and a density of its own for each image.

Neal, MCMC using Hamiltonian dynamics, arXiv:1206.1901. Shapes: C = chains, B = images, L = latent
dimensions; step sizes are in units of z.
"""

from collections.abc import Callable

import torch
from torch import Tensor

ACCEPTANCE = 0.65  # of proposals, where HMC is about most efficient (there, section 4.4)
GAIN = 0.5  # of log step size per unit of acceptance above or below that
STEP_SIZES = (1e-4, 2.0)  # beyond which no adaptation goes

LogDensity = Callable[[Tensor], Tensor]
"""Maps z of shape (C, B, L) to log-densities of shape (C, B), in nats, with a gradient."""


def transition(
    log_density: LogDensity,
    z: Tensor,
    step_size: Tensor,
    leapfrog_steps: int,
    momentum: Tensor,
    uniform: Tensor,
) -> tuple[Tensor, Tensor]:
    """One proposal, accepted or not: leaves the densities invariant for any fixed step size.

    Args:
        z: shape (C, B, L).
        step_size: of each image, shape (B,).
        momentum: standard normal noise, shape (C, B, L).
        uniform: noise in (0, 1), float64, shape (C, B).

    Returns:
        The next z, and the probability of acceptance, float64, shape (C, B).
    """
    before, slope = _with_gradient(log_density, z)
    moved, after, end = _leapfrog(log_density, z, slope, step_size, leapfrog_steps, momentum)
    gain = (after.double() - before.double()) + (_kinetic(momentum) - _kinetic(end))
    # A trajectory that diverged ends in inf or nan, and is refused.
    probability = gain.nan_to_num(nan=-torch.inf).clamp(max=0).exp()
    return torch.where((uniform < probability)[..., None], moved, z), probability


def adapted(step_size: Tensor, probability: Tensor) -> Tensor:
    """The step size after a look at acceptance, shape (B,); for pilot runs only.

    Robbins and Monro's stochastic approximation with a constant gain. A step size that depends on
    the chain's past would leave no density invariant.
    """
    excess = probability.mean(0).to(step_size.dtype) - ACCEPTANCE
    return (step_size * torch.exp(GAIN * excess)).clamp(*STEP_SIZES)


def _leapfrog(
    log_density: LogDensity,
    z: Tensor,
    slope: Tensor,
    step_size: Tensor,
    steps: int,
    momentum: Tensor,
) -> tuple[Tensor, Tensor, Tensor]:
    """Position, its log-density and momentum at the end of a trajectory (there, section 2.3)."""
    step = step_size[:, None].to(z.dtype)
    momentum = momentum + step / 2 * slope
    for number in range(1, steps + 1):
        z = z + step * momentum
        value, slope = _with_gradient(log_density, z)
        momentum = momentum + (step / 2 if number == steps else step) * slope
    return z, value, momentum


def _kinetic(momentum: Tensor) -> Tensor:
    return momentum.double().square().sum(-1) / 2


def _with_gradient(log_density: LogDensity, z: Tensor) -> tuple[Tensor, Tensor]:
    """Log-densities (C, B) and their gradients (C, B, L)."""
    with torch.enable_grad():
        leaf = z.detach().requires_grad_()
        value = log_density(leaf)
        (gradient,) = torch.autograd.grad(value.sum(), leaf)
    return value.detach(), gradient
