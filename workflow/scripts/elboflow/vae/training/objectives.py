"""Training objectives: the ELBO, the beta-ELBO and the importance-weighted bound.

All are lower bounds on log p(x) (the beta-ELBO for beta >= 1) that training maximises. That of a
relaxed discrete z alone is none.
"""

import math
from dataclasses import dataclass, replace
from typing import cast

from torch import Tensor

from elboflow.vae.model.categorical import Categorical
from elboflow.vae.model.draws import Draws, draw
from elboflow.vae.model.enumeration import log_likelihoods
from elboflow.vae.model.model import Model
from elboflow.vae.registry import Registry
from elboflow.vae.spec import SpecError, TrainingSpec

objectives = Registry("objective")
discrete_gradients = Registry("gradient")  # those of a discrete z


@dataclass(frozen=True)
class Bound:
    """Estimates for a batch of images, each of shape (B,), in nats per image."""

    objective: Tensor
    rate: Tensor
    distortion: Tensor

    @property
    def elbo(self) -> Tensor:
        """ELBO = -distortion - rate."""
        return -self.distortion - self.rate


def elbo(draws: Draws, kl: str | None = None, beta: float = 1.0, free_bits: float = 0.0) -> Bound:
    """-distortion - beta x rate.

    Kingma and Welling, arXiv:1312.6114, equations 7 (analytic) and 6 (sampled); Higgins et al.,
    beta-VAE, ICLR 2017, equation 4.

    Args:
        kl: the rate is `analytic` or `sampled` from the same draws; None: analytic if there is a
            closed form.
        free_bits: nats of every dimension's KL that cost nothing more, see `_penalty`.
    """
    distortion = -draws.log_likelihood.mean(0)
    rate = None if kl == "sampled" else draws.analytic_rate
    if rate is None:
        if kl == "analytic":
            raise SpecError("kl: this posterior and prior have no analytic one, say sampled")
        rate = draws.sampled_rates.mean(0)
    penalty = _penalty(draws, free_bits) if free_bits else rate
    return Bound(-distortion - beta * penalty, rate, distortion)


def _penalty(draws: Draws, free_bits: float) -> Tensor:
    """sum_l max(free_bits, KL_l) of each image, in nats, shape (B,).

    Kingma et al., arXiv:1606.04934, have the minibatch's mean of KL_l in the maximum;
    that of each image is used here, so that a rank needs no other rank's images.
    """
    kl = draws.posterior.kl_per_dimension() if draws.prior.closed_form_kl else None
    if kl is None:
        raise SpecError("free_bits: this posterior and prior have no analytic KL of each dimension")
    return kl.clamp(min=free_bits).sum(-1)


def importance_weighted(draws: Draws) -> Bound:
    """L_K = log (1/K) sum_k w_k. Burda et al., arXiv:1509.00519, equation 8."""
    log_weights = draws.log_weights
    sampled = elbo(draws, "sampled")
    bound = log_weights.logsumexp(0) - math.log(log_weights.shape[0])
    return Bound(bound, sampled.rate, sampled.distortion)


def enumerated(vae: Model, x: Tensor, beta: float = 1.0) -> Bound:
    """-distortion - beta x rate of a discrete z, exact: both are sums over all values."""
    posterior = vae.encode(x)
    distortion = -(posterior.mean.T * log_likelihoods(vae, x)).sum(0)
    rate = cast(Tensor, posterior.kl())
    return Bound(-distortion - beta * rate, rate, distortion)


def score_function(draws: Draws, beta: float = 1.0) -> Bound:
    """The ELBO of K >= 2 draws of a discrete z, whose gradient is that of `enumerated` on average.

    The decoder's gradient comes with the draws. The encoder's needs the score of q,

        1/K sum_k (f_k - mean of the other f) d log q(z_k | x),  f = log p(x | z),

    where each draw has the others as its baseline (REINFORCE, leave-one-out). Kool et al., Buy 4
    REINFORCE samples, get a baseline for free, ICLR 2019 workshop; the idea is in Mnih and Rezende,
    arXiv:1602.06725. The KL is analytic and needs no draws.
    """
    bound = elbo(draws, "analytic", beta)
    signal = draws.log_likelihood.detach()
    # f_k less the mean of the others is K / (K - 1) times f_k less the mean of all.
    advantage = (signal - signal.mean(0)) / (len(signal) - 1)
    score = (advantage * draws.log_posterior).sum(0)
    return replace(bound, objective=bound.objective + (score - score.detach()))


def gumbel_softmax(
    vae: Model, x: Tensor, epsilon: Tensor, temperature: float, beta: float = 1.0
) -> Bound:
    """-distortion - beta x rate with relaxed draws in the decoder, differentiated through them.

    The rate is the KL of the discrete z. The distortion is that of z between the values, where no
    model is: no bound on log p(x), and its gradient is not that of `enumerated`, which it comes
    closer to the lower the temperature, at the price of variance. Jang et al., arXiv:1611.01144.

    Args: those of `draw`, and of `Categorical.relax`.
    """
    posterior = cast(Categorical, vae.encode(x))
    z = posterior.relax(epsilon, temperature)
    distortion = -vae.likelihood.log_prob(vae.decode(z), x).mean(0)
    rate = posterior.kl()
    return Bound(-distortion - beta * rate, rate, distortion)


def best_elbo(vae: Model, x: Tensor, epsilon: Tensor) -> Bound:
    """The ELBO with as little noise as the model allows; arguments as of `draw`."""
    if vae.prior.discrete:
        return enumerated(vae, x)
    return elbo(draw(vae, x, epsilon))


@objectives("elbo")
def _elbo(draws: Draws, spec: TrainingSpec, beta: float) -> Bound:
    # Of a user's distributions nobody knows before whether there is a closed form.
    kl = None if spec.model and spec.kl == "analytic" else spec.kl
    return elbo(draws, kl, beta, spec.free_bits)


@objectives("importance_weighted")
def _importance_weighted(draws: Draws, spec: TrainingSpec, beta: float) -> Bound:
    return importance_weighted(draws)


@discrete_gradients("pathwise")
def _enumerated(vae: Model, spec: TrainingSpec, x: Tensor, epsilon: Tensor, beta: float) -> Bound:
    return enumerated(vae, x, beta)


@discrete_gradients("score_function")
def _score_function(
    vae: Model, spec: TrainingSpec, x: Tensor, epsilon: Tensor, beta: float
) -> Bound:
    return score_function(draw(vae, x, epsilon), beta)


@discrete_gradients("gumbel_softmax")
def _gumbel_softmax(
    vae: Model, spec: TrainingSpec, x: Tensor, epsilon: Tensor, beta: float
) -> Bound:
    return gumbel_softmax(vae, x, epsilon, spec.gumbel_temperature, beta)


def objective(vae: Model, spec: TrainingSpec, x: Tensor, epsilon: Tensor, beta: float) -> Bound:
    """The objective that the specification names, to be differentiated as it says."""
    if vae.prior.discrete:
        return discrete_gradients[spec.gradient](vae, spec, x, epsilon, beta)
    draws = draw(vae, x, epsilon, gradient=spec.gradient)
    return objectives[spec.objective](draws, spec, beta)
