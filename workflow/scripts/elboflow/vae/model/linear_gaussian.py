"""The linear-Gaussian model, in which log p(x) and p(z | x) are exact, and its maximum likelihood.

Tipping and Bishop, Probabilistic principal component analysis, J. R. Statist. Soc. B 61 (1999) 611.
Everything is float64.
"""

from dataclasses import dataclass

import numpy as np


@dataclass(frozen=True)
class LinearGaussian:
    """z ~ N(0, I), x | z ~ N(weights z + mean, variance I).

    weights has shape (D, L), mean (D,).
    """

    weights: np.ndarray
    mean: np.ndarray
    variance: float

    def log_likelihood(self, x: np.ndarray) -> np.ndarray:
        """log p(x) = log N(x; mean, C), C = weights weights' + variance I, shape (N, D) to (N,).

        Section 3.1; by M = weights' weights + variance I (L x L) instead of C, with
        log det C = (D - L) log variance + log det M.
        """
        pixels, latent = self.weights.shape
        centred = x - self.mean
        projected = centred @ self.weights
        explained = (projected * np.linalg.solve(self._m, projected.T).T).sum(1)
        square = (np.square(centred).sum(1) - explained) / self.variance
        log_det = (pixels - latent) * np.log(self.variance) + np.linalg.slogdet(self._m)[1]
        return -0.5 * (pixels * np.log(2 * np.pi) + log_det + square)

    def posterior(self, x: np.ndarray) -> tuple[np.ndarray, np.ndarray]:
        """p(z | x) = N(M^-1 weights' (x - mean), variance M^-1), section 3.1.

        Returns:
            Means (N, L), and the covariance (L, L) that all images share.
        """
        means = np.linalg.solve(self._m, ((x - self.mean) @ self.weights).T).T
        return means, self.variance * np.linalg.inv(self._m)

    def elbo(self, x: np.ndarray, mean: np.ndarray, variance: np.ndarray) -> np.ndarray:
        """The exact ELBO of q(z | x) = N(mean, diag(variance)), both (N, L), shape (N,)."""
        pixels = len(self.mean)
        residual = np.square(x - self.mean - mean @ self.weights.T).sum(1)
        spread = variance @ np.square(self.weights).sum(0)
        distortion = 0.5 * (
            pixels * np.log(2 * np.pi * self.variance) + (residual + spread) / self.variance
        )
        rate = 0.5 * (np.square(mean) + variance - 1 - np.log(variance)).sum(1)
        return -distortion - rate

    @property
    def _m(self) -> np.ndarray:
        return self.weights.T @ self.weights + self.variance * np.eye(self.weights.shape[1])


def maximum_likelihood(x: np.ndarray, latent_dim: int) -> LinearGaussian:
    """The best linear-Gaussian model of images (N, D), in closed form (section 3.2).

    The variance is the mean of the discarded eigenvalues of the covariance (of divisor N), and
    weights = U (Lambda - variance I)^(1/2), whose columns are orthogonal: p(z | x) has a diagonal
    covariance, and the ELBO of a linear VAE reaches log p(x) there.
    """
    mean = x.mean(0)
    values, vectors = np.linalg.eigh(np.cov(x, rowvar=False, ddof=0))  # ascending
    kept, discarded = values[::-1][:latent_dim], values[: len(mean) - latent_dim]
    variance = float(discarded.mean())
    weights = vectors[:, ::-1][:, :latent_dim] * np.sqrt(np.maximum(kept - variance, 0))
    return LinearGaussian(weights, mean, variance)
