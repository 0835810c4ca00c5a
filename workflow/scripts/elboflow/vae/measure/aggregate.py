"""The aggregate posterior q(z) = (1/N) sum_n q(z | x_n) of N images, and how it splits the rate:

    rate = I(n; z) + KL(q(z) || p(z)),

the mutual information of image and z, and the marginal KL: how far from the prior the decoder is
used. Hoffman and Johnson, ELBO surgery, NIPS 2016 workshop on advances in approximate Bayesian
inference.

With N images in the place of their distribution the first is too low on average and at most log N,
and the second is too high by as much: KL is convex in q(z). Poole et al., On variational bounds of
mutual information, ICML 2019, arXiv:1905.06922, section 2.3. Shapes: K draws of each of N images'
z, L latent dimensions.
"""

import math
from collections.abc import Sequence
from dataclasses import dataclass

import torch
from torch import Tensor

from elboflow.vae.measure.estimate import chunks, image_noise, standard_error
from elboflow.vae.model.model import Model
from elboflow.vae.model.posterior import Posterior
from elboflow.vae.noise import Purpose

DRAWS = 10_000  # of z over all images together, but at least two for each
IMAGES_AT_ONCE = 500
ROWS_AT_ONCE = 200  # draws whose densities under all images are held at once
SMALLEST = 1e-12  # what float64 may leave of 1 - share


@dataclass(frozen=True)
class Estimate:
    """A mean over N images in which each also stands for others; all of shape (N,), in nats.

    values: the images' own parts, whose mean is the estimate.
    monte_carlo_error: of these, for these images.
    pseudo_values: of the jackknife, N estimate - (N - 1) estimate without image m: what image m
        does to its own part and, as a component of q(z), to those of all others. Their spread is
        the data error; that of the values takes q(z) as given. Efron and Stein, Ann. Statist. 9
        (1981) 586.
    """

    values: Tensor
    monte_carlo_error: Tensor
    pseudo_values: Tensor


class AggregatePosterior:
    """q(z) of the images x, shape (N, D), and draws from it. Its cost grows with N squared.

    Not of a flow: the density of a z that another image gave takes it L passes.

    Args:
        first: number of the first image, which keys the draws.
    """

    def __init__(self, vae: Model, x: Tensor, seed: int = 0, first: int = 0) -> None:
        self.vae, self.images = vae, len(x)
        pieces = list(chunks(self.images, IMAGES_AT_ONCE))
        self.posteriors: list[Posterior] = [
            vae.encode(x[start : start + count]) for start, count in pieces
        ]
        drawn = []
        for q, (start, count) in zip(self.posteriors, pieces, strict=True):
            numbers = range(first + start, first + start + count)
            drawn.append(
                q.sample(image_noise(vae, seed, Purpose.AGGREGATE, numbers)(0, self.draws))
            )
        self.z = torch.cat([z for z, _ in drawn], dim=1)
        """Shape (K, N, L)."""
        self.log_own = torch.cat([log_q for _, log_q in drawn], dim=1).double()
        """log q(z | x) of the image that gave z, shape (K, N)."""
        self.log_prior = vae.prior.log_prob(self.z).double()

    @property
    def draws(self) -> int:
        """How many draws of each image's z give estimates worth their cost."""
        return max(2, DRAWS // self.images)

    @property
    def pieces(self) -> list[slice]:
        """The images in pieces of which all draws are looked at together."""
        size = max(1, ROWS_AT_ONCE // self.draws)
        return [slice(first, first + count) for first, count in chunks(self.images, size)]

    def log_prob_of_each(self, z: Tensor) -> Tensor:
        """log q(z | x_m) in nats, float64, shape (..., L) to (..., N)."""
        return log_prob_of_each(self.posteriors, z)

    def log_prob(self, z: Tensor) -> Tensor:
        """log q(z) in nats, shape (..., L) to (...)."""
        return self.log_prob_of_each(z).logsumexp(-1) - math.log(self.images)

    def rate(self) -> tuple[Tensor, Tensor]:
        """log q(z | x) - log p(z) on average over an image's draws, and its error, both (N,)."""
        terms = self.log_own - self.log_prior
        return terms.mean(0), standard_error(terms)

    def marginal_kl(self) -> Estimate:
        """KL(q(z) || p(z)) of these images' q(z): at least that of all images', on average.

        Without image m, log q(z) changes by log(1 - share of m in it) + log(N / (N - 1)).
        """
        count, parts = self.images, []
        lost = torch.zeros(count, dtype=torch.float64, device=self.z.device)
        for piece in self.pieces:
            each = self.log_prob_of_each(self.z[:, piece])
            total = each.logsumexp(-1, keepdim=True)
            parts.append(total[..., 0] - math.log(count))
            lost += log_without(each.sub_(total).exp_(), piece)
        terms = torch.cat(parts, dim=1) - self.log_prior
        return estimate(terms, lost, math.log(count / (count - 1)))


def log_prob_of_each(posteriors: Sequence[Posterior], z: Tensor) -> Tensor:
    """Log-density of every z under every image's, float64, shape (..., L) to (..., N)."""
    return torch.cat([q.log_prob_of_each(z) for q in posteriors], dim=-1).double()


def log_without(share: Tensor, piece: slice) -> Tensor:
    """sum over images n of a piece, n not m, of log(1 - share of m in z_n), shape (N,).

    Args:
        share: of every image m in the density of z_n, shape (K, B, N), averaged over K; it is
            overwritten.
    """
    without_own(share, piece, 0.0)
    return torch.log(share.neg_().add_(1).clamp_(min=SMALLEST)).mean(0).sum(0)


def without_own(matrix: Tensor, piece: slice, value: float) -> None:
    """Put a value in the place of what each image of a piece is to itself, (K, B, N)."""
    own = torch.arange(matrix.shape[1], device=matrix.device)
    matrix[:, own, own + piece.start] = value


def estimate(terms: Tensor, changes: Tensor, constant: float = 0.0) -> Estimate:
    """A mean over images with the pseudo-values of its jackknife.

    Args:
        terms: shape (K, N), whose mean over all is the estimate.
        changes: by how much the sum of the other images' parts changes without image m, shape (N,);
            each of them by the constant besides.
    """
    values = terms.mean(0)
    others = len(values) - 1
    without = (values.sum() - values + changes) / others + constant
    pseudo_values = len(values) * values.mean() - others * without
    return Estimate(values, standard_error(terms), pseudo_values)
