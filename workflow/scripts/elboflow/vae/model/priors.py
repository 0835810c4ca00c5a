"""Priors p(z)."""

import math

import numpy as np
import torch
from torch import Tensor, nn

from elboflow.vae.model import categorical  # noqa: F401
from elboflow.vae.model.gaussian import FullCovariance, Gaussian, standard_normal_log_prob
from elboflow.vae.model.prior import Encode, Prior, priors
from elboflow.vae.model.two_layers import Conditional, TwoLayerPrior
from elboflow.vae.spec import TrainingSpec


@priors("standard_normal")
class StandardNormal(Prior):
    """p(z) = N(0, I)."""

    is_standard_normal = True

    def log_prob(self, z: Tensor) -> Tensor:
        """log p(z) in nats, shape (..., L) to (...)."""
        return standard_normal_log_prob(z)

    def sample(self, epsilon: Tensor) -> Tensor:
        """Draws of z from standard normal noise of the same shape."""
        return epsilon


class MixturePrior(Prior):
    """p(z) = sum_c w_c p_c(z), over C Gaussian components."""

    def components(self) -> Gaussian | FullCovariance:
        """The C components, as a batch."""
        raise NotImplementedError

    def log_weights(self) -> Tensor:
        """log w_c, shape (C,)."""
        raise NotImplementedError

    def log_prob(self, z: Tensor) -> Tensor:
        """log p(z) in nats, shape (..., L) to (...)."""
        return (self.log_weights() + self.components().log_prob_of_each(z)).logsumexp(-1)

    def sample(self, epsilon: Tensor) -> Tensor:
        """Draws of z from standard normal noise of the same shape.

        The first number picks the component and is used again: u = Phi(epsilon_1) is uniform, and
        so is, given the interval of the cumulated weights that u falls in, its place in there.
        """
        # On the CPU: cumsum on a GPU may vary from run to run.
        weights = self.log_weights().double().exp().cpu()
        ends = weights.cumsum(0).to(epsilon.device)
        u = torch.special.ndtr(epsilon[..., 0].double()).contiguous()
        chosen = torch.searchsorted(ends, u * ends[-1]).clamp(max=len(ends) - 1)
        width = weights.to(u.device)[chosen]
        place = ((u * ends[-1] - ends[chosen] + width) / width).clamp(1e-12, 1 - 1e-12)
        first = torch.special.ndtri(place).to(epsilon.dtype)
        noise = torch.cat([first.unsqueeze(-1), epsilon[..., 1:]], dim=-1)
        return self.components().select(chosen).sample(noise)[0]


@priors("mixture")
class Mixture(MixturePrior):
    """Learned weights, means and standard deviations."""

    def __init__(self, components: int, latent_dim: int) -> None:
        super().__init__()
        self.mean = nn.Parameter(torch.zeros(components, latent_dim))
        self.log_sd = nn.Parameter(torch.zeros(components, latent_dim))
        self.logits = nn.Parameter(torch.zeros(components))

    @classmethod
    def of(cls, spec: TrainingSpec, pixels: int, encode: Encode) -> "Mixture":
        return cls(spec.prior_components, spec.latent_dim)

    def components(self) -> Gaussian:
        return Gaussian(self.mean, self.log_sd)

    def log_weights(self) -> Tensor:
        return self.logits.log_softmax(0)

    def initialise(self, draws: np.random.Generator, mean_image: Tensor) -> None:
        """Equal weights, and half of a unit variance between the components and half within.

        Equal means would have equal gradients, and stay equal.
        """
        self.mean.copy_(torch.from_numpy(draws.normal(0, 0.5**0.5, self.mean.shape)))
        self.log_sd.fill_(0.5 * math.log(0.5))
        self.logits.zero_()


@priors("vamp")
class VampPrior(MixturePrior):
    """The mean of the posteriors of C learned images in [0, 1], the pseudo-inputs.

    Tomczak and Welling, VAE with a VampPrior, AISTATS 2018, arXiv:1705.07120. The
    pseudo-inputs are kept as logits.

    Args:
        encode: maps images (C, D) to their posteriors; its parameters are the encoder's own.
    """

    def __init__(self, components: int, pixels: int, encode: Encode) -> None:
        super().__init__()
        self.encode = encode
        self.logits = nn.Parameter(torch.zeros(components, pixels))

    @classmethod
    def of(cls, spec: TrainingSpec, pixels: int, encode: Encode) -> "VampPrior":
        return cls(spec.prior_components, pixels, encode)

    def components(self) -> Gaussian | FullCovariance:
        return self.encode(self.logits.sigmoid())

    def log_weights(self) -> Tensor:
        count = len(self.logits)
        return self.logits.new_full((count,), -math.log(count))

    def initialise(self, draws: np.random.Generator, mean_image: Tensor) -> None:
        """The mean training image, with standard normal noise on the logit of every pixel."""
        noise = torch.from_numpy(draws.normal(size=self.logits.shape))
        self.logits.copy_(torch.logit(mean_image.double().clamp(0.001, 0.999)) + noise)


def make_prior(spec: TrainingSpec, pixels: int, encode: Encode) -> Prior:
    """The prior of the specification."""
    if not spec.second_latent_dim:
        return priors[spec.prior].of(spec, pixels, encode)
    hidden = spec.second_layers[::-1]
    first = Conditional(spec.second_latent_dim, hidden, spec.latent_dim, spec.activation)
    return TwoLayerPrior(spec.latent_dim, first)
