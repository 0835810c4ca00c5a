"""Likelihoods p(x | z): what the decoder's outputs mean."""

import torch
from torch import Tensor, nn
from torch.nn import functional

from vae.data import DataError
from vae.spec import SpecError


class Bernoulli(nn.Module):
    """Independent binary pixels with the decoder's outputs as logits."""

    def log_prob(self, logits: Tensor, x: Tensor) -> Tensor:
        """log p(x | z) in nats, summed over pixels.

        Args:
            logits: shape (..., B, D).
            x: binary images, shape (B, D).

        Returns:
            Shape (..., B).
        """
        target = x.expand_as(logits)
        return -functional.binary_cross_entropy_with_logits(logits, target, reduction="none").sum(
            -1
        )

    def mean(self, logits: Tensor) -> Tensor:
        """E[x | z], in [0, 1], of the logits' shape."""
        return logits.sigmoid()

    def initial_output(self, mean_image: Tensor) -> Tensor:
        """The output bias with which an untrained decoder shows the training mean, shape (D,)."""
        return torch.logit(mean_image.clamp(0.001, 0.999))

    def require_support(self, x: Tensor) -> None:
        """Refuse images that this likelihood is no density of (DataError)."""
        if not bool(((x == 0) | (x == 1)).all()):
            raise DataError(
                "a Bernoulli likelihood is a density of binary pixels only and these are grey: "
                "binarise the images first"
            )


LIKELIHOODS = {"bernoulli": Bernoulli}


def make_likelihood(name: str) -> Bernoulli:
    """The likelihood of that name in the specification."""
    if name not in LIKELIHOODS:
        raise SpecError(f"likelihood: {name!r} is unknown, choose from {', '.join(LIKELIHOODS)}")
    return LIKELIHOODS[name]()
