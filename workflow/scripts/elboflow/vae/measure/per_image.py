"""Everything that is estimated of test images one by one."""

from collections.abc import Sequence

import torch
from torch import Tensor

from elboflow.vae.measure.estimate import (
    ImportanceWeights,
    estimate_elbo,
    estimate_log_likelihood,
    image_noise,
)
from elboflow.vae.model.model import Model
from elboflow.vae.model.posterior import Posterior
from elboflow.vae.noise import Purpose
from elboflow.vae.spec import EvaluationSpec


@torch.no_grad()
def estimates(
    vae: Model,
    spec: EvaluationSpec,
    seed: int,
    images: Sequence[int],
    x: Tensor,
) -> dict[str, Tensor]:
    """The fields of PerImage that come from draws, each of shape (B,) or (B, L).

    Args:
        images: numbers of the images, which key their noise.
        x: the images, shape (B, D).
    """
    posterior = vae.encode(x)
    elbo_noise = image_noise(vae, seed, Purpose.ELBO, images)
    elbo = estimate_elbo(vae, x, posterior, elbo_noise, spec.elbo_samples, spec.chunk_samples)
    weights = importance_weights(vae, spec, seed, images, x, posterior)
    return {
        "rate": elbo.rate,
        "distortion": elbo.distortion,
        "elbo_monte_carlo_error": elbo.monte_carlo_error,
        **elbo.errors_of_parts,
        "log_likelihood": weights.log_likelihood,
        "log_means": weights.log_block_means,
        "ess": weights.ess,
        "largest_weight": weights.largest_weight,
        "pareto_k": weights.pareto_k,
        "kl": vae.kl_per_dimension(posterior),
        "posterior_mean": posterior.mean,
    }


def importance_weights(
    vae: Model,
    spec: EvaluationSpec,
    seed: int,
    images: Sequence[int],
    x: Tensor,
    posterior: Posterior,
) -> ImportanceWeights:
    """What log p(x) is estimated from; the arguments are those of `estimates`, and q(z | x)."""
    noise = image_noise(vae, seed, Purpose.IMPORTANCE, images)
    samples, chunk = spec.importance_samples, spec.chunk_samples
    return estimate_log_likelihood(vae, x, posterior, noise, samples, chunk)
