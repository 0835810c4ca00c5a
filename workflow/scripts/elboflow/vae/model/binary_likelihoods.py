"""Likelihoods p(x | z) of binary pixels: probabilities."""

import torch
from torch import Tensor
from torch.nn import functional

from elboflow.vae.data import DataError
from elboflow.vae.model.likelihood import Likelihood, likelihoods


@likelihoods("bernoulli")
class Bernoulli(Likelihood):
    """Independent binary pixels with the decoder's outputs as logits."""

    def log_prob(self, outputs: Tensor, x: Tensor) -> Tensor:
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
