"""Everything that is known of test images one by one, data-parallel and resumable."""

from functools import partial
from pathlib import Path

import numpy as np
import torch
from parts import Columns, Part, as_columns, split, work_through
from trained_model import observed
from vae.aggregate import AggregatePosterior
from vae.arithmetic import set_arithmetic
from vae.estimate import (
    estimate_elbo,
    estimate_log_likelihood,
    image_noise,
    standard_error,
)
from vae.networks import VAE
from vae.noise import Purpose
from vae.posterior import Posterior
from vae.spec import EvaluationSpec, TrainingSpec
from vae.summary import PerImage
from worker import Worker


@torch.no_grad()
def measure(
    vae: VAE,
    training: TrainingSpec,
    title: str,
    *,
    spec: EvaluationSpec,
    seed: int,
    images: np.ndarray,
    state: Path,
    worker: Worker,
) -> PerImage:
    """Everything that is known image by image, of all images, on every rank."""
    set_arithmetic(training.precision, training.deterministic)
    aggregate = None
    if training.posterior != "flow":
        aggregate = AggregatePosterior(vae, observed(vae, images))
    work = partial(measure_part, vae, spec, seed, images, aggregate)
    wanted = split(f"test_{training.precision}", len(images), spec.chunk_images)
    found = work_through(wanted, work, state, title, worker)
    return PerImage(**{
        name: np.concatenate([np.array(part[name], dtype=float) for part in found])
        for name in found[0]
    })  # fmt: skip


def measure_part(
    vae: VAE,
    spec: EvaluationSpec,
    seed: int,
    images: np.ndarray,
    aggregate: AggregatePosterior | None,
    part: Part,
) -> Columns:
    """The fields of PerImage for one part of the images."""
    x = observed(vae, images[part.images])
    posterior = vae.encode(x)
    elbo_noise = image_noise(vae, seed, Purpose.ELBO, part.images)
    elbo = estimate_elbo(vae, x, posterior, elbo_noise, spec.elbo_samples, spec.chunk_samples)
    weight_noise = image_noise(vae, seed, Purpose.IMPORTANCE, part.images)
    weights = estimate_log_likelihood(
        vae, x, posterior, weight_noise, spec.importance_samples, spec.chunk_samples
    )
    return as_columns({
        "rate": elbo.rate,
        "distortion": elbo.distortion,
        "elbo_monte_carlo_error": elbo.monte_carlo_error,
        **elbo.errors_of_parts,
        "log_likelihood": weights.log_likelihood,
        "log_likelihood_monte_carlo_error": weights.monte_carlo_error,
        "ess": weights.ess,
        "largest_weight": weights.largest_weight,
        "pareto_k": weights.pareto_k,
        "untrusted": weights.untrusted,
        "kl": vae.kl_per_dimension(posterior),
        "posterior_mean": posterior.mean,
        **(marginal_kl(vae, seed, posterior, aggregate, part) if aggregate else {}),
    })  # fmt: skip


def marginal_kl(
    vae: VAE, seed: int, posterior: Posterior, aggregate: AggregatePosterior, part: Part
) -> dict[str, torch.Tensor]:
    """Each image's part of KL(q(z) || p(z)), and its Monte Carlo error, shape (B,)."""
    noise = image_noise(vae, seed, Purpose.AGGREGATE, part.images)
    z, _ = posterior.sample(noise(0, aggregate.draws))
    terms = aggregate.marginal_terms(z)
    return {"marginal_kl": terms.mean(0), "marginal_kl_monte_carlo_error": standard_error(terms)}
