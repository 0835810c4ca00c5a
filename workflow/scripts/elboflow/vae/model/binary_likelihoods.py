"""Likelihoods p(x | z) of binary pixels: probabilities."""

import torch
from torch import Tensor
from torch.nn import functional

from elboflow.vae.data import DataError
from elboflow.vae.model.likelihood import Likelihood, likelihoods

MOST_FACTORS = 112  # of at least a half each, whose product float32 can hold; 28 x 28 is 7 x 112


@likelihoods("bernoulli")
class Bernoulli(Likelihood):
    """Independent binary pixels with the decoder's outputs as logits."""

    def log_prob(self, outputs: Tensor, x: Tensor) -> Tensor:
        if not torch.is_grad_enabled():
            return _log_prob(outputs, x)
        target = x.expand_as(outputs)
        return -functional.binary_cross_entropy_with_logits(outputs, target, reduction="none").sum(
            -1
        )

    def mean(self, outputs: Tensor) -> Tensor:
        return outputs.sigmoid()

    def sample(self, outputs: Tensor, uniform: Tensor) -> Tensor:
        return (uniform < outputs.sigmoid()).double()

    def initial_output(self, mean_image: Tensor) -> Tensor:
        return torch.logit(mean_image.clamp(0.001, 0.999))

    def require_support(self, x: Tensor) -> None:
        if not bool(((x == 0) | (x == 1)).all()):
            raise DataError(
                "a Bernoulli likelihood is a density of binary pixels only and these are grey: "
                "binarise the images first"
            )


def _log_prob(logits: Tensor, x: Tensor) -> Tensor:
    """The same in half of the time, without a gradient.

    It is the sum of log sigmoid(s) = min(s, 0) + log sigmoid(|s|), where s is the logit of what x
    is. The second sigmoids are at least a half: many are multiplied, and have one logarithm.
    """
    signed = logits * (2 * x - 1)
    wrong = signed.clamp(max=0).sum(-1)
    pixels = signed.shape[-1]
    factors = max(n for n in range(1, MOST_FACTORS + 1) if pixels % n == 0)
    shares = signed.abs_().sigmoid_().unflatten(-1, (pixels // factors, factors))
    return wrong.add_(shares.prod(-1).log_().sum(-1))
