"""Integrals over a latent z in the plane, by the trapezoidal rule on a square grid.

For integrands that are smooth and vanish at the edges the rule converges faster than any power of
the step (Trefethen and Weideman, SIAM Review 56, 2014); halving the step shows how exact it is.
Shapes: B = images, n = nodes along each axis; the first axis of a grid is z_1. All in nats.
"""

import numpy as np
from numpy.typing import NDArray

Array = NDArray[np.float64]

HALF_WIDTH = 7.0  # standard deviations of the prior; outside lies less than 1e-11 of its mass


def nodes(step: float) -> Array:
    """Coordinates from -7 to 7, shape (n,)."""
    return np.linspace(-HALF_WIDTH, HALF_WIDTH, round(2 * HALF_WIDTH / step) + 1)


def plane(axis: Array) -> Array:
    """All points of the grid, shape (n, n, 2)."""
    return np.stack(np.meshgrid(axis, axis, indexing="ij"), -1)


def log_prior(axis: Array) -> Array:
    """log N(z; 0, I), shape (n, n)."""
    one = -0.5 * (axis**2 + np.log(2 * np.pi))
    return one[:, None] + one[None, :]


def integral(values: Array, axis: Array) -> Array:
    """Integral over the plane of values (..., n, n); at the edges they are as good as zero."""
    return values.sum((-2, -1)) * (axis[1] - axis[0]) ** 2


def log_integral(log_values: Array, axis: Array) -> Array:
    """log of the integral of exp(log_values), shape (..., n, n) to (...)."""
    largest = log_values.max((-2, -1), keepdims=True)
    total = integral(np.exp(log_values - largest), axis)
    return np.log(total) + largest[..., 0, 0]


def kl(log_q: Array, log_p: Array, axis: Array) -> Array:
    """KL(q || p) of two densities on the grid, shape (..., n, n) to (...)."""
    return integral(np.exp(log_q) * (log_q - log_p), axis)


def moments(log_q: Array, axis: Array) -> tuple[Array, Array]:
    """Mean, shape (..., 2), and covariance, (..., 2, 2), of a density on the grid."""
    q, z = np.exp(log_q), plane(axis)
    mean = np.stack([integral(q * z[..., i], axis) for i in (0, 1)], -1)
    second = [[integral(q * z[..., i] * z[..., j], axis) for j in (0, 1)] for i in (0, 1)]
    covariance = np.moveaxis(np.array(second), (0, 1), (-2, -1))
    return mean, covariance - mean[..., :, None] * mean[..., None, :]


def non_gaussianity(log_q: Array, axis: Array) -> Array:
    """KL(q || N(its mean, its covariance)): zero for a Gaussian, shape (..., n, n) to (...).

    The entropy of that Gaussian less the entropy of q.
    """
    _, covariance = moments(log_q, axis)
    entropy = -integral(np.exp(log_q) * log_q, axis)
    return 0.5 * np.linalg.slogdet(2 * np.pi * np.e * covariance)[1] - entropy
