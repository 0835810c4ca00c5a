"""Likelihoods p(x | z) of whole grey levels 0 .. levels: probabilities."""

import torch
from torch import Tensor
from torch.nn import functional

from elboflow.vae.data import DataError, ImageShape
from elboflow.vae.model.distributions import inverse_mean, level_log_weights, mean_of_levels
from elboflow.vae.model.likelihood import Likelihood, Scale, likelihoods
from elboflow.vae.spec import TrainingSpec


class LevelLikelihood(Likelihood):
    """What all likelihoods of whole grey levels share."""

    def __init__(self, levels: int) -> None:
        super().__init__()
        self.levels = levels

    @classmethod
    def of(cls, spec: TrainingSpec, shape: ImageShape) -> "LevelLikelihood":
        return cls(shape.levels)

    def require_support(self, x: Tensor) -> None:
        if not bool(((x >= 0) & (x <= self.levels) & (x == x.round())).all()):
            raise DataError(
                f"{type(self).__name__} is a distribution over the whole grey levels 0 to "
                f"{self.levels} and these pixels are none: give it the levels themselves"
            )

    def to_unit(self, x: Tensor) -> Tensor:
        return x / self.levels

    def independent_pixels(self, counts: Tensor, x: Tensor) -> Tensor:
        """The per-pixel histogram of the training levels, each level counted once more.

        It is the best of independent pixels, whatever the likelihood (Laplace's rule).
        """
        smoothed = counts + 1
        log_share = (smoothed / smoothed.sum(1, keepdim=True)).log()  # (D, levels + 1)
        return log_share.gather(1, x.long().T).sum(0)


@likelihoods("discretised_logistic")
class DiscretisedLogistic(LevelLikelihood):
    """A logistic density around the output, cut into one bin for each level.

    Kingma et al., arXiv:1606.04934, appendix: bin k is the interval
    (k - 1/2, k + 1/2) / levels, the first open to minus infinity and the last to infinity
    (Salimans et al., PixelCNN++, arXiv:1701.05517, section 2.1), and one scale serves all pixels.
    Neighbouring levels are alike, which the categorical has to learn.
    """

    def __init__(self, levels: int, scale: float | None = None) -> None:
        super().__init__(levels)
        self.scale = Scale(scale)

    @classmethod
    def of(cls, spec: TrainingSpec, shape: ImageShape) -> "DiscretisedLogistic":
        return cls(shape.levels, spec.likelihood_scale)

    def log_prob(self, outputs: Tensor, x: Tensor) -> Tensor:
        scale = self.scale()
        above = ((x + 0.5) / self.levels - outputs) / scale  # (..., B, D)
        below = ((x - 0.5) / self.levels - outputs) / scale
        # sigmoid(a) - sigmoid(b) = sigmoid(a) sigmoid(-b) (1 - e^(b - a)): nothing cancels.
        left = functional.logsigmoid(above) * (x < self.levels)
        right = functional.logsigmoid(-below) * (x > 0)
        width = torch.log(-torch.expm1(-1 / (self.levels * scale)))
        return (left + right + width * ((x > 0) & (x < self.levels))).sum(-1)

    def mean(self, outputs: Tensor) -> Tensor:
        # The mean of a count is the sum of P(level >= k) over k = 1 .. levels.
        edges = [(level - 0.5) / self.levels for level in range(1, self.levels + 1)]
        scale, total = self.scale(), torch.zeros_like(outputs)
        for edge in edges:
            total += torch.sigmoid((outputs - edge) / scale)
        return total / self.levels

    def sample(self, outputs: Tensor, uniform: Tensor) -> Tensor:
        logistic = outputs + self.scale().double() * torch.logit(uniform)
        return (logistic * self.levels).round().clamp(0, self.levels)

    def initial_output(self, mean_image: Tensor) -> Tensor:
        return inverse_mean(self.mean, mean_image.clamp(0.01, 0.99))


@likelihoods("categorical")
class Categorical(LevelLikelihood):
    """A softmax over the levels of each pixel, without any idea of their order."""

    def __init__(self, levels: int) -> None:
        super().__init__(levels)
        self.outputs_per_pixel = levels + 1

    def log_prob(self, outputs: Tensor, x: Tensor) -> Tensor:
        logits = outputs.unflatten(-1, (-1, self.levels + 1))  # (..., B, D, levels + 1)
        level = x.long()[..., None].expand(*logits.shape[:-1], 1)
        return (logits.gather(-1, level).squeeze(-1) - logits.logsumexp(-1)).sum(-1)

    def mean(self, outputs: Tensor) -> Tensor:
        return mean_of_levels(outputs.unflatten(-1, (-1, self.levels + 1)).softmax(-1))

    def sample(self, outputs: Tensor, uniform: Tensor) -> Tensor:
        shares = outputs.unflatten(-1, (-1, self.levels + 1)).softmax(-1)
        # On the CPU: torch has no deterministic cumsum of floating point numbers on GPUs.
        bounds = shares.cpu().cumsum(-1).to(shares.device)
        passed = (uniform[..., None] > bounds).sum(-1)
        return passed.clamp(max=self.levels).double()  # cumsum may end just below 1

    def initial_output(self, mean_image: Tensor) -> Tensor:
        def mean(eta: Tensor) -> Tensor:
            return mean_of_levels(level_log_weights(eta, self.levels).softmax(-1))

        return level_log_weights(
            inverse_mean(mean, mean_image.clamp(0.001, 0.999)), self.levels
        ).flatten()
