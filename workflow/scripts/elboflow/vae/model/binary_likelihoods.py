"""Likelihoods p(x | z) of binary pixels: probabilities."""

from typing import Any

import torch
from torch import Tensor

from elboflow.vae.data import DataError
from elboflow.vae.model.likelihood import Likelihood, likelihoods


MOST_FACTORS = 112  # of at least a half each, whose product float32 can hold; 28 x 28 is 7 x 112


class BernoulliLogProb(torch.autograd.Function):
    """log p(x) in nats of logits (..., D) and binary x that broadcasts to them, shape (...).

    The sum of log sigmoid(s) = min(s, 0) + log sigmoid(|s|), where s is the logit of what x is. The
    second sigmoids are at least a half, so that many may be multiplied and have one logarithm.
    """

    @staticmethod
    def forward(ctx: Any, logits: Tensor, x: Tensor) -> Tensor:
        ctx.save_for_backward(logits, x)
        signed = logits * (2 * x - 1)
        log_prob = signed.clamp(max=0).sum(-1)
        pixels = signed.shape[-1]
        factors = max(n for n in range(1, MOST_FACTORS + 1) if pixels % n == 0)
        shares = signed.abs_().sigmoid_().unflatten(-1, (pixels // factors, factors))
        return log_prob.add_(shares.prod(-1).log_().sum(-1))

    @staticmethod
    def backward(ctx: Any, gradient: Tensor) -> tuple[Tensor, None]:
        logits, x = ctx.saved_tensors
        return logits.sigmoid().neg_().add_(x).mul_(gradient.unsqueeze(-1)), None


@likelihoods("bernoulli")
class Bernoulli(Likelihood):
    """Independent binary pixels with the decoder's outputs as logits."""

    def log_prob(self, outputs: Tensor, x: Tensor) -> Tensor:
        return BernoulliLogProb.apply(outputs, x)  # type: ignore[no-untyped-call, no-any-return]

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
