"""Likelihoods p(x | z) of binary pixels: probabilities."""

import torch
from torch import Tensor
from torch.nn import functional

from elboflow.vae.data import DataError
from elboflow.vae.model.likelihood import Likelihood, likelihoods

MOST_FACTORS = 8  # whose product float32 holds unless 87 nats are lost in them


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
    """The same in less than half of the time, without a gradient.

    It is the sum of log sigmoid(s), where s is the logit of what x is: sigmoids are multiplied
    before their logarithm is taken. Images of which a product is too small for that are taken pixel
    by pixel.
    """
    sign = 2 * x - 1
    pixels = logits.shape[-1]
    factors = max(n for n in range(1, MOST_FACTORS + 1) if pixels % n == 0)
    # Of pixels that lie far apart: all products of an image are then taken side by side.
    products = (logits * sign).sigmoid_().unflatten(-1, (factors, pixels // factors)).prod(-2)
    too_small = products.amin(-1) < torch.finfo(products.dtype).tiny
    log_prob = products.log_().sum(-1)
    if bool(too_small.any()):
        log_prob[too_small] = functional.logsigmoid((logits * sign)[too_small]).sum(-1)
    return log_prob
