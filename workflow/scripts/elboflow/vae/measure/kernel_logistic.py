"""Logistic regression on how similar images are to some of the training images.

The similarity is exp(-s |a - b|^2 / m), where m is the mean of |a - b|^2 and s says how sharp it
is. The objective is convex and Newton's method ends at its optimum: no seed and no schedule enter.
Shapes: N = images to learn from, M = others, F = features.
"""

from collections.abc import Sequence

import torch
from torch import Tensor
from torch.nn.functional import logsigmoid

from elboflow.vae.measure.neighbours import squared_distances

LANDMARKS = 300  # images that others are compared with
PENALTIES = (10.0, 1.0, 0.1, 0.01, 0.001, 0.0001)  # of half the squared weights, against nats
STEPS, TOLERANCE = 50, 1e-6  # of Newton's method; nats that a step must gain for another one
RANK = 1e-9  # share of the largest eigenvalue below which one is rounding


def log_odds(x: Tensor, labels: Tensor, others: Tensor, sharpness: float) -> Tensor:
    """log p(label 1) - log p(label 0) of other images, under each of PENALTIES, shape (P, M).

    Args:
        x: float64, shape (N, D), in an order without meaning.
        labels: 0 or 1, float64, shape (N,).
        others: shape (M, D).
    """
    features, seen = _features(x, (x, others), sharpness)
    weights, found = torch.zeros_like(features[0]), []
    for penalty in PENALTIES:  # each starts where the one before it ended
        weights = _fitted(features, labels, penalty, weights)
        found.append(seen @ weights)
    return torch.stack(found)


def _features(x: Tensor, sets: Sequence[Tensor], sharpness: float) -> list[Tensor]:
    """A constant, and numbers whose inner products are the similarities, each (images, F).

    Exact between landmarks, else by way of them: Williams and Seeger, Using the Nystroem method to
    speed up kernel machines, NIPS 2000.
    """
    landmarks = x[:LANDMARKS]
    scale = squared_distances(landmarks, landmarks).mean().clamp(min=torch.finfo(x.dtype).tiny)

    def similarity(images: Tensor) -> Tensor:
        return torch.exp(-sharpness * squared_distances(images, landmarks) / scale)

    values, vectors = torch.linalg.eigh(similarity(landmarks))
    kept = values > RANK * values[-1]
    to_features = vectors[:, kept] / values[kept].sqrt()
    mean = (similarity(x) @ to_features).mean(0)
    return [
        torch.cat([torch.ones_like(images[:, :1]), similarity(images) @ to_features - mean], 1)
        for images in sets
    ]


def _fitted(features: Tensor, labels: Tensor, penalty: float, weights: Tensor) -> Tensor:
    """The weights of least penalised log-loss, shape (F,), by Newton's method with halved steps."""
    signs = 2 * labels - 1

    def loss(at: Tensor) -> Tensor:
        return 0.5 * penalty * at @ at - logsigmoid(signs * (features @ at)).sum()

    current = loss(weights)
    for _ in range(STEPS):
        share = torch.sigmoid(features @ weights)
        gradient = features.T @ (share - labels) + penalty * weights
        curvature = (features.T * (share * (1 - share))) @ features
        curvature.diagonal().add_(penalty)
        step = torch.cholesky_solve(gradient[:, None], torch.linalg.cholesky(curvature))[:, 0]
        while (reached := loss(weights - step)) > current:
            step = step / 2
            if step.abs().max() < RANK:
                return weights
        weights, gained, current = weights - step, current - reached, reached
        if gained < TOLERANCE:
            break
    return weights
