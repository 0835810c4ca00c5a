"""What importance sampling of log p(x) draws z from: q(z | x), in few dimensions a mixture.

Where q is narrower than p(z | x), or misses a mode of it, the z that would weigh most are all but
never drawn: the weights' tails are heavy, and most estimates too low by what is missing. A
defensive mixture draws a tenth of the samples from q of three times the width and a tenth from the
prior, and weighs all of them by its own density (the balance heuristic):

    m(z | x) = 0.8 q(z | x) + 0.1 q_wider(z | x) + 0.1 p(z),    w = p(x, z) / m(z | x).

No weight is above 10 p(x | z), nor above 1.25 times that of q, so all have a variance. Veach and
Guibas, SIGGRAPH 1995; Hesterberg, Technometrics 37 (1995) 185; Owen and Zhou, Safe and effective
importance sampling, JASA 95 (2000) 135.

The components take turns, so that weights stay nearly equal where q is good; whose turn comes first
is random for each image. Each sample is by itself a draw of m, and so the mean weight of any block
of samples is unbiased, and its logarithm a lower bound on average.

Shapes: K = samples, B = images, L = latent dimensions.
"""

import math
from collections.abc import Callable

import torch
from torch import Tensor

from elboflow.vae.model.model import Model
from elboflow.vae.model.posterior import Posterior

Noise = Callable[[int, int], Tensor]

# Beyond, a tenth of the samples from the prior finds nothing, a wider q gains some 0.003 nats of
# trained models, and published values are of q alone: benchmarks/README.md has the counts.
FEW_LATENTS = 5
# From so many on, the parts by which the bias is estimated, down to K / 16, have ten samples, and
# so one of each component at least.
LEAST_SAMPLES = 160
WIDER = 3.0  # times the standard deviations of q
TURNS, OF_WIDER, OF_PRIOR = 10, 5, 0  # of ten samples in a row, one of each, and eight of q


class OwnPosterior:
    """q(z | x) itself."""

    def __init__(self, q: Posterior) -> None:
        self.q = q

    def sample(self, first: int, epsilon: Tensor) -> tuple[Tensor, Tensor]:
        """Samples number `first` and on, z and the log-density that they are drawn with.

        Args:
            epsilon: their standard normal noise, shape (K, B, L).

        Returns:
            z, shape (K, B, L), and its log-density in nats, (K, B).
        """
        return self.q.sample(epsilon)


class DefensiveMixture:
    """m(z | x), see above.

    Args:
        wider: q of WIDER times the standard deviations.
        offset: the turn of each image's first sample, 0 .. TURNS - 1, shape (B,).
    """

    def __init__(self, vae: Model, q: Posterior, wider: Posterior, offset: Tensor) -> None:
        self.prior, self.q, self.wider, self.offset = vae.prior, q, wider, offset

    def sample(self, first: int, epsilon: Tensor) -> tuple[Tensor, Tensor]:
        """Samples number `first` and on, as OwnPosterior.sample."""
        number = torch.arange(first, first + len(epsilon), device=epsilon.device)
        turn = ((number[:, None] + self.offset) % TURNS).unsqueeze(-1)
        z = self.q.sample(epsilon)[0]
        z = torch.where(turn == OF_WIDER, self.wider.sample(epsilon)[0], z)
        z = torch.where(turn == OF_PRIOR, self.prior.sample(epsilon), z)
        return z, self.log_prob(z)

    def log_prob(self, z: Tensor) -> Tensor:
        """log m(z | x) in nats, shape (K, B, L) to (K, B)."""
        one = math.log(1 / TURNS)
        terms = (
            self.q.log_prob(z) + math.log(1 - 2 / TURNS),
            self.wider.log_prob(z) + one,
            self.prior.log_prob(z) + one,
        )
        return torch.stack(terms).logsumexp(0)


def proposal(
    vae: Model, q: Posterior, noise: Noise, samples: int
) -> OwnPosterior | DefensiveMixture:
    """What K samples of z are drawn from, to estimate log p(x).

    q itself in more dimensions or with fewer samples than the mixture is for; so does a discrete z,
    whose log p(x) is a sum, and a flow, whose density of a z that it did not draw takes L passes.

    Args:
        noise: as of estimate_log_likelihood. That of the sample after the last is the offsets'.
    """
    wider = q.widened(WIDER)
    if wider is None or vae.latent_dim > FEW_LATENTS or samples < LEAST_SAMPLES:
        return OwnPosterior(q)
    return DefensiveMixture(vae, q, wider, turns_of(noise, samples))


def turns_of(noise: Noise, samples: int) -> Tensor:
    """The turn of each image's first sample, uniform in 0 .. TURNS - 1, shape (B,)."""
    u = torch.special.ndtr(noise(samples, 1)[0, :, 0].double())
    return (TURNS * u).long().clamp(max=TURNS - 1)
