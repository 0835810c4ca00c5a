"""log p(x) of images, each with its Monte Carlo error and whether it can be trusted."""

from collections.abc import Mapping, Sequence
from dataclasses import dataclass

import torch
from torch import Tensor

from elboflow.trained.images import Values
from elboflow.vae.measure.blocks import block_sizes
from elboflow.vae.measure.bound_curve import errors, halvings
from elboflow.vae.measure.exact import exact_log_likelihood
from elboflow.vae.measure.pareto import reliable_up_to
from elboflow.vae.measure.per_image import importance_weights
from elboflow.vae.model.model import Model
from elboflow.vae.spec import EvaluationSpec


@dataclass(frozen=True)
class LogLikelihood:
    """log p(x) of N images, each of shape (N,): arrays, or tensors if the images were.

    nats: of what the model observes: log-probability of binary images or of grey levels, or
        log-density of level / levels in [0, 1]. An estimate is a lower bound on average.
    monte_carlo_error: its standard error in nats, from two halves of an image's samples: one degree
        of freedom each, so that only sums of squares over images mean much. 0 of exact values.
    trusted: whether the tail of an image's weights is light enough for so many samples (Pareto k).
    exact: whether log p(x) was computed, not estimated.
    """

    nats: Values
    monte_carlo_error: Values
    trusted: Values
    exact: bool


def measured(
    vae: Model, spec: EvaluationSpec, seed: int, images: Sequence[int], x: Tensor
) -> dict[str, Tensor]:
    """What `log_likelihood` needs of some images, on the CPU.

    Args:
        images: their numbers, which key their noise.
        x: the images as the model observes them, shape (B, D).
    """
    exact = exact_log_likelihood(vae, x)
    if exact is not None:
        return {"exact": torch.from_numpy(exact)}
    weights = importance_weights(vae, spec, seed, images, x, vae.encode(x))
    return {
        "log_likelihood": weights.log_likelihood.cpu(),
        "log_means": weights.log_block_means.cpu(),
        "pareto_k": weights.pareto_k.cpu(),
    }


def log_likelihood(found: Sequence[Mapping[str, Tensor]], samples: int) -> LogLikelihood:
    """What was `measured` of all images with so many samples, as tensors."""
    columns = {name: torch.cat([part[name] for part in found]) for name in found[0]}
    if "exact" in columns:
        nats = columns["exact"]
        return LogLikelihood(nats, torch.zeros_like(nats), torch.ones_like(nats).bool(), exact=True)
    parts = halvings(columns["log_means"].numpy(), block_sizes(samples))
    trusted = columns["pareto_k"] <= reliable_up_to(samples)
    error = torch.from_numpy(errors(parts))
    return LogLikelihood(columns["log_likelihood"], error, trusted, exact=False)
