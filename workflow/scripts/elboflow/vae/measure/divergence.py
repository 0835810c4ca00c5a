"""How far made images are from real ones at the least: a lower bound on a divergence.

The Jensen-Shannon divergence of real and made images is log 2 less the log-loss of the best
classifier that tells them apart, in nats: 0 where they are of one distribution, log 2 = 0.693 where
each image shows its kind (Goodfellow et al., Generative adversarial nets, NIPS 2014,
arXiv:1406.2661, section 4.1). On images that it has not seen any classifier has, on average, a
larger loss than the best one, which makes a lower bound of log 2 less its loss.
"""

import math

import torch
from torch import Tensor
from torch.nn.functional import logsigmoid

from elboflow.vae.data import ImageShape
from elboflow.vae.measure.kernel_logistic import log_odds
from elboflow.vae.measure.neighbours import Estimate
from elboflow.vae.noise import Purpose, generator

PARTS = 5  # three to learn from, one to choose by, one to judge on, each in turn
# How sharp the similarities are in which a classifier sees images (kernel_logistic.py): of
# pixels at their places, and of what neighbouring pixels do wherever they are.
PIXELS, TEXTURE = (2.0, 4.0, 8.0), (0.5,)
# Rows and columns between two pixels that a texture multiplies.
OFFSETS = ((0, 0), (0, 1), (1, 0), (1, 1), (1, -1), (0, 2), (2, 0))


def divergence_bound(real: Tensor, made: Tensor, shape: ImageShape, seed: int) -> Estimate:
    """A lower bound on the Jensen-Shannon divergence, in nats, and its error over images.

    It holds in expectation, and is at most 0 where both kinds are of one distribution. No image's
    kind is taken for surer than n + 1 to 1, Laplace's rule of succession: a mistake that happens
    to none of n images would else be missing from the error.

    Args:
        real, made: as many images of either kind, shape (n, D), n at least PARTS.
    """
    order = generator(seed, Purpose.PARTS).permutation
    kinds = [images.double()[torch.from_numpy(order(len(real)))] for images in (real, made)]
    x = torch.stack(kinds, 1).flatten(0, 1)  # by turns real and made
    labels = torch.tensor([1.0, 0.0], dtype=x.dtype, device=x.device).repeat(len(real))
    part = torch.arange(len(x), device=x.device) // 2 % PARTS
    gains, doubt = torch.zeros_like(labels), 1 / (len(real) + 2)
    for judged in range(PARTS):
        test, inner = part == judged, part == (judged + 1) % PARTS
        train = ~(test | inner)
        experts = _experts(x[train], labels[train], torch.cat([x[inner], x[test]]), shape)
        choosing, judging = experts.split([int(inner.sum()), int(test.sum())], dim=1)
        log_p = _mixed(choosing, judging, labels[inner], labels[test])
        gains[test] = math.log(2) + torch.log((1 - 2 * doubt) * log_p.exp() + doubt)
    variance = gains.view(-1, 2).var(0).sum() / len(real)
    return gains.mean().item(), variance.sqrt().item() / 2


def _experts(x: Tensor, labels: Tensor, others: Tensor, shape: ImageShape) -> Tensor:
    """Log odds of the other images under several classifiers, shape (E, M); the first is chance."""
    centre = x.mean()
    seen, unseen = (texture(images - centre, shape) for images in (x, others))
    spread = seen.std(0).clamp(min=torch.finfo(x.dtype).eps)
    found = [
        torch.zeros_like(others[:, 0])[None],
        *(log_odds(x, labels, others, sharpness) for sharpness in PIXELS),
        *(log_odds(seen / spread, labels, unseen / spread, sharpness) for sharpness in TEXTURE),
    ]
    return torch.cat(found)


def _mixed(inner: Tensor, test: Tensor, inner_labels: Tensor, labels: Tensor) -> Tensor:
    """log p(label) of the images to judge, each expert weighed by what it said of the inner ones.

    Bayes' rule: half of the prior is on chance, so that a classifier that learned nothing, or was
    too sure, is left out by as much as the inner images tell.
    """
    prior = torch.full_like(inner[:, 0], 0.5 / (len(inner) - 1))
    prior[0] = 0.5
    posterior = prior.log() + logsigmoid(inner * (2 * inner_labels - 1)).sum(1)
    log_p = logsigmoid(test * (2 * labels - 1))
    return (posterior.log_softmax(0)[:, None] + log_p).logsumexp(0)


def texture(x: Tensor, shape: ImageShape) -> Tensor:
    """Of each colour the mean, and the mean product of pixels at OFFSETS, shape (B, T).

    Args:
        x: shape (B, D), around a common mean.
    """
    images = x.view(-1, shape.height, shape.width, shape.channels)
    found = [images.mean((1, 2))]
    for down, right in OFFSETS:
        if down < shape.height and abs(right) < shape.width:
            one = images[:, : shape.height - down, max(-right, 0) : shape.width - max(right, 0)]
            other = images[:, down:, max(right, 0) : shape.width + min(right, 0)]
            found.append((one * other).mean((1, 2)))
    return torch.cat(found, 1)
