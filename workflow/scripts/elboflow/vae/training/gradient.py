"""The gradient of a global batch: each rank's share, and their sum."""

from collections.abc import Callable

import torch
from torch import Tensor

from elboflow.vae.model.networks import VAE
from elboflow.vae.spec import TrainingSpec
from elboflow.vae.training.flat_parameters import FlatParameters
from elboflow.vae.training.objectives import objective

Allreduce = Callable[[Tensor], None]
"""Sums a tensor over all ranks, in place."""


def accumulate(
    vae: VAE, spec: TrainingSpec, flat: FlatParameters, x: Tensor, epsilon: Tensor, beta: float
) -> None:
    """Fill the flat buffer with this rank's share of the gradient of the mean objective.

    The loss is the negative sum over this rank's images divided by the global batch size, so that
    the plain sum over ranks is the gradient of the global mean, also when shares differ in size.
    """
    flat.buffer.zero_()
    bound = objective(vae, spec, x, epsilon, beta)
    (-bound.objective.sum() / spec.batch_size).backward()
    with torch.no_grad():
        totals = torch.stack([bound.objective.sum(), bound.rate.sum(), bound.distortion.sum()])
        flat.buffer[-3:] = totals


def global_step(spec: TrainingSpec, flat: FlatParameters, allreduce: Allreduce) -> Tensor:
    """Sum the buffers over ranks, and clip.

    Returns:
        The global batch's sums of objective, rate and distortion, and the gradient's norm before
        clipping, shape (4,), on the device: nothing here waits for it.
    """
    allreduce(flat.buffer)
    norm = flat.gradient.norm()
    if spec.gradient_clip is not None:
        flat.gradient.mul_((spec.gradient_clip / norm).clamp(max=1))
    return torch.cat([flat.buffer[-3:], norm[None]])
