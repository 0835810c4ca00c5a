"""Mixtures of Gaussians over the plane as q(z), from one round Gaussian to several oblique ones.

A component is N(mean, (U'U)^-1) with U = [[a, 0], [c, b]] and a, b > 0, so that any parameters make
a density. Rows of `parameters`: logit of the weight, two means, log a, log b, c. Shapes: M =
components, n = nodes along each axis.
"""

from dataclasses import dataclass

import numpy as np
from scipy.optimize import minimize
from scipy.special import log_softmax, logsumexp

from elboflow.vae.measure.quadrature import Array, integral, log_prior, plane

LOGIT, MEAN, LOG_A, LOG_B, C = 0, slice(1, 3), 3, 4, 5
WIDTH = 6
WIDEST_SD = 2.0  # standard deviation of a component; the prior's is 1


@dataclass(frozen=True)
class Family:
    """Which q are allowed: `components` Gaussians whose covariance is one of three shapes."""

    name: str
    components: int
    covariance: str  # isotropic, diagonal or full

    @property
    def parameters(self) -> int:
        """Numbers that are free."""
        shape = {"isotropic": 1, "diagonal": 2, "full": 3}[self.covariance]
        return self.components * (2 + shape) + self.components - 1


FAMILIES = (
    Family("isotropic Gaussian", 1, "isotropic"),
    Family("diagonal Gaussian", 1, "diagonal"),
    Family("full Gaussian", 1, "full"),
    Family("mixture of 3", 3, "full"),
)


def log_density(parameters: Array, z: Array) -> Array:
    """log q at points (..., 2), shape (...)."""
    return logsumexp(_log_parts(parameters, z)[0], axis=0)


def _log_parts(parameters: Array, z: Array) -> tuple[Array, Array, Array]:
    """log (weight x density) of each component (M, ...), U (z - mean) (M, ..., 2), z - mean."""
    weights = log_softmax(parameters[:, LOGIT])
    shape = (len(parameters), *[1] * (z.ndim - 1))
    log_a, log_b, c = (parameters[:, index].reshape(shape) for index in (LOG_A, LOG_B, C))
    away = z - parameters[:, MEAN].reshape(*shape, 2)
    first = np.exp(log_a) * away[..., 0]
    second = c * away[..., 0] + np.exp(log_b) * away[..., 1]
    density = -0.5 * (first**2 + second**2) + log_a + log_b - np.log(2 * np.pi)
    return weights.reshape(shape) + density, np.stack([first, second], -1), away


def log_density_gradient(parameters: Array, z: Array) -> tuple[Array, Array]:
    """log q at points (..., 2) and its derivatives by the parameters, shape (M, 6, ...)."""
    parts, standardised, away = _log_parts(parameters, z)
    log_q = logsumexp(parts, axis=0)
    share = np.exp(parts - log_q)  # which component a point is from
    shape = share.shape[:1] + (1,) * (share.ndim - 1)
    a, b = np.exp(parameters[:, LOG_A]).reshape(shape), np.exp(parameters[:, LOG_B]).reshape(shape)
    c = parameters[:, C].reshape(shape)
    first, second = standardised[..., 0], standardised[..., 1]
    weights = np.exp(log_softmax(parameters[:, LOGIT])).reshape(shape)
    columns = [
        share - weights,
        share * (a * first + c * second),
        share * b * second,
        share * (1 - first * a * away[..., 0]),
        share * (1 - second * b * away[..., 1]),
        -share * second * away[..., 0],
    ]
    return log_q, np.stack(columns, 1)


def best_q(family: Family, log_posterior: Array, z: Array, step: float, start: Array) -> Array:
    """The q of a family with the largest ELBO, found from `start`: parameters, shape (M, 6).

    The largest ELBO is the smallest KL(q || p(z|x)), whose slopes are the integral of
    q (d log q) (log q - log p(z|x)), because that of q is 1.

    Args:
        log_posterior: log p(z | x) at nodes z, shape (N,).
        z: all nodes of the grid at which the posterior counts, shape (N, 2).
        step: of the grid.
    """

    def divergence(flat: Array) -> tuple[float, Array]:
        parameters = _tied(family, flat.reshape(-1, WIDTH))
        log_q, gradient = log_density_gradient(parameters, z)
        weighted = np.exp(log_q) * (log_q - log_posterior)
        slopes = gradient @ weighted * step**2
        return float(weighted.sum() * step**2), _tied_gradient(family, slopes).ravel()

    # A q that is off the nodes, or so narrow that it passes between them, would cost nothing.
    steepest = 1 / (2 * step)
    means, slopes = [*zip(z.min(0), z.max(0), strict=True)], (-np.log(WIDEST_SD), np.log(steepest))
    limits = [(None, None), *means, slopes, slopes, (-steepest, steepest)]
    bounds, options = limits * len(start), {"maxiter": 200, "ftol": 1e-11, "gtol": 1e-7}
    found = minimize(
        divergence, start.ravel(), jac=True, method="L-BFGS-B", bounds=bounds, options=options
    )
    return _tied(family, found.x.reshape(-1, WIDTH))


def _tied(family: Family, parameters: Array) -> Array:
    tied = parameters.copy()
    if family.covariance != "full":
        tied[:, C] = 0
    if family.covariance == "isotropic":
        tied[:, LOG_B] = tied[:, LOG_A]
    return tied


def _tied_gradient(family: Family, slopes: Array) -> Array:
    tied = slopes.copy()
    if family.covariance != "full":
        tied[:, C] = 0
    if family.covariance == "isotropic":
        tied[:, LOG_A] += tied[:, LOG_B]
        tied[:, LOG_B] = 0
    return tied


def gaussian(mean: Array, covariance: Array) -> Array:
    """The parameters of one Gaussian, shape (1, 6)."""
    precision = np.linalg.inv(covariance)
    b = np.sqrt(precision[1, 1])  # U'U = [[a^2 + c^2, cb], [cb, b^2]]
    c = precision[0, 1] / b
    a = np.sqrt(precision[0, 0] - c**2)
    return np.array([[0.0, *mean, np.log(a), np.log(b), c]])


def covariances(parameters: Array) -> Array:
    """The covariance of each component, shape (M, 2, 2)."""
    u = np.zeros((len(parameters), 2, 2))
    u[:, 0, 0], u[:, 1, 1] = np.exp(parameters[:, LOG_A]), np.exp(parameters[:, LOG_B])
    u[:, 1, 0] = parameters[:, C]
    return np.linalg.inv(u.swapaxes(1, 2) @ u).astype(np.float64)


def gaussian_rate(parameters: Array) -> float:
    """KL(q || N(0, I)) of a single Gaussian in closed form. arXiv:1312.6114, appendix B."""
    mean, covariance = parameters[0, MEAN], covariances(parameters)[0]
    trace, log_determinant = np.trace(covariance), np.linalg.slogdet(covariance)[1]
    return float(0.5 * (trace + mean @ mean - 2 - log_determinant))


def rate(parameters: Array, axis: Array) -> float:
    """KL(q || N(0, I)) in nats: in closed form for one Gaussian, by quadrature for a mixture."""
    if len(parameters) == 1:
        return gaussian_rate(parameters)
    log_q = log_density(parameters, plane(axis))
    return float(integral(np.exp(log_q) * (log_q - log_prior(axis)), axis))
