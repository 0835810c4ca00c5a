"""A lower bound on the marginal KL, from densities that are fitted to other images.

For any density r that does not depend on image n, E log r(z_n) - log p(z_n) with z_n of q(z) is
at most KL(q(z) || p(z)): what is missing is KL(q(z) || r). The images are dealt into folds, and r
of a fold is fitted to the others. It is a mixture of four: the prior; a diagonal Gaussian with mean
and variance of z; the aggregate posterior; and that with each q(z | x_m) moved towards N(0, I), so
that gaps between too few images are filled. Their weights have the largest likelihood for left-out
images of the other folds: van der Laan, Polley and Hubbard, Super learner, Stat. Appl. Genet. Mol.
Biol. 6 (2007) 25. Shapes: K draws of each of N images' z, L latent dimensions, F folds, J parts of
r.
"""

import torch
from torch import Tensor

from elboflow.vae.measure.aggregate import (
    SMALLEST,
    AggregatePosterior,
    Estimate,
    estimate,
    log_prob_of_each,
    without_own,
)
from elboflow.vae.model.gaussian import LOG_2_PI
from elboflow.vae.model.posterior import Posterior

FOLDS = 5
KEPT = 0.8  # of the means, where each q(z | x_m) is moved towards N(0, I)
STEPS = 200  # of EM for the weights


def marginal_kl_at_least(aggregate: AggregatePosterior) -> Estimate:
    """A lower bound, on average, on the KL(q(z) || p(z)) of all images there could be."""
    kernels = [aggregate.posteriors, [q.nearer_to_prior(KEPT) for q in aggregate.posteriors]]
    fold = torch.arange(aggregate.images, device=aggregate.z.device) % FOLDS
    parts = _parts(aggregate, kernels, fold)
    weights = torch.stack([_weights(parts[f][:, fold != f].flatten(0, 1)) for f in range(FOLDS)])
    own = parts.gather(0, fold[None, None, :, None].expand(1, *parts.shape[1:]))[0]
    weighted = own + weights[fold].log()
    log_r = weighted.logsumexp(-1)
    share = (weighted[..., -2:].logsumexp(-1) - log_r).exp()  # of the kernels in r
    changes = _changes(aggregate, kernels, fold, weights, log_r, share)
    return estimate(log_r - aggregate.log_prior, changes)


def _parts(aggregate: AggregatePosterior, kernels: list[list[Posterior]], fold: Tensor) -> Tensor:
    """Log-densities of z under the parts of r of each fold, shape (F, K, N, J).

    No image has a part in them that is its own, also where it is not of that fold.
    """
    held = torch.stack([fold == f for f in range(FOLDS)])
    prior = aggregate.log_prior.expand(FOLDS, *aggregate.log_prior.shape)
    found = [prior]
    if not aggregate.vae.prior.discrete:  # z of one value in L has no density
        found.append(_gaussian(aggregate.z.double(), ~held))
    found += [_mean_density(aggregate, kernel, ~held) for kernel in kernels]
    return torch.stack(found, dim=-1)


def _gaussian(z: Tensor, used: Tensor) -> Tensor:
    """Under Gaussians with mean and variance of the z of other images, shape (F, K, N).

    Args:
        used: the images that a fold's r is fitted to, shape (F, N).
    """
    weight = used.double()[..., None]
    first, second = weight * z.mean(0), weight * z.square().mean(0)  # (F, N, L)
    others = weight.sum(1, keepdim=True) - weight
    mean = (first.sum(1, keepdim=True) - first) / others
    variance = (second.sum(1, keepdim=True) - second) / others - mean.square()
    mean, variance = mean[:, None], variance[:, None]
    return -0.5 * ((z - mean).square() / variance + variance.log() + LOG_2_PI).sum(-1)


def _mean_density(aggregate: AggregatePosterior, kernel: list[Posterior], used: Tensor) -> Tensor:
    """log of the mean density under other images' kernels, shape (F, K, N)."""
    pieces = []
    for piece in aggregate.pieces:
        each = log_prob_of_each(kernel, aggregate.z[:, piece])
        without_own(each, piece, -torch.inf)
        largest = each.max(-1, keepdim=True).values
        sums = each.sub_(largest).exp_() @ used.double().T  # (K, B, F)
        others = used.sum(1) - used[:, piece].T.long()  # (B, F)
        pieces.append((sums / others).log() + largest)
    return torch.cat(pieces, dim=1).permute(2, 0, 1)


def _weights(parts: Tensor) -> Tensor:
    """Weights of the mixture of largest likelihood, by EM, shape (rows, J) to (J,)."""
    density = (parts - parts.max(1, keepdim=True).values).exp()
    weights = density.new_full(density.shape[1:], 1 / density.shape[1])
    for _ in range(STEPS):
        shares = density * weights
        weights = (shares / shares.sum(1, keepdim=True)).mean(0)
    return weights


def _changes(
    aggregate: AggregatePosterior,
    kernels: list[list[Posterior]],
    fold: Tensor,
    weights: Tensor,
    log_r: Tensor,
    share: Tensor,
) -> Tensor:
    """By how much the sum of log r over all images changes without image m, shape (N,).

    With the weights and the Gaussian as they are: r without m is r (1 + share / (n - 1)) less what
    kernel m has in it, where n kernels have the share of r in equal parts.
    """
    lost = torch.zeros(len(fold), dtype=torch.float64, device=fold.device)
    count = len(fold) - torch.bincount(fold, minlength=FOLDS)  # of kernels in r of each fold
    for piece in aggregate.pieces:
        z, own = aggregate.z[:, piece], fold[piece]
        others = (count[own] - 1).double()
        part = torch.zeros(1, dtype=torch.float64, device=fold.device)
        for place, kernel in zip((-2, -1), kernels, strict=True):
            scale = log_r[:, piece] - (weights[own, place] / others).log()
            part = part + log_prob_of_each(kernel, z).sub_(scale[..., None]).exp_()
        used = own[:, None] != fold
        ratio = (1 + (share[:, piece] / others)[..., None] - part).clamp_(min=SMALLEST)
        lost += (ratio.log_() * used).mean(0).sum(0)
    return lost
