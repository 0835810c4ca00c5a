"""The gradient of a global batch: each rank's share, and their sum."""

from collections.abc import Callable, Sequence

import torch
from torch import Tensor, nn

from elboflow.vae.model.model import Model
from elboflow.vae.spec import TrainingSpec
from elboflow.vae.training.flat_parameters import FlatParameters
from elboflow.vae.training.objectives import Bound, objective

Allreduce = Callable[[Tensor], None]
"""Sums a tensor over all ranks, in place."""
Gradient = Callable[[Tensor, Tensor, float], Tensor]
"""Maps a rank's images (B, D), noise (K, B, L) and beta to a buffer, see FlatParameters."""


def eager_gradient(vae: Model, spec: TrainingSpec) -> Gradient:
    """This rank's share of the gradient of the mean objective, operator by operator.

    The loss is the negative sum over this rank's images divided by the global batch size, so that
    the plain sum over ranks is the gradient of the global mean, also when shares differ in size.
    """
    parameters = list(vae.parameters())

    def gradient(x: Tensor, epsilon: Tensor, beta: float) -> Tensor:
        return _flat(objective(vae, spec, x, epsilon, beta), parameters, spec.batch_size)

    return gradient


def traceable_gradient(
    vae: Model, spec: TrainingSpec, flat: FlatParameters
) -> Callable[[Tensor, Tensor, Tensor, Tensor], Tensor]:
    """The same as a function of all that changes, (flat.values, x, epsilon, beta) to the buffer."""
    objective_of = _Objective(vae, spec)

    def gradient(values: Tensor, x: Tensor, epsilon: Tensor, beta: Tensor) -> Tensor:
        named = flat.by_name(values.detach().requires_grad_())
        given = {f"vae.{name}": value for name, value in named.items()}
        bound = torch.func.functional_call(objective_of, given, (x, epsilon, beta))
        return _flat(bound, list(named.values()), spec.batch_size)

    return gradient


class _Objective(nn.Module):
    """The objective as a module, whose parameters can be put in for a call."""

    def __init__(self, vae: Model, spec: TrainingSpec) -> None:
        super().__init__()
        self.vae, self.spec = vae, spec

    def forward(self, x: Tensor, epsilon: Tensor, beta: float) -> Bound:
        return objective(self.vae, self.spec, x, epsilon, beta)


def _flat(bound: Bound, parameters: Sequence[Tensor], batch_size: int) -> Tensor:
    gradients = torch.autograd.grad(
        -bound.objective.sum() / batch_size, parameters, materialize_grads=True
    )
    totals = [bound.objective.sum(), bound.rate.sum(), bound.distortion.sum()]
    return torch.cat([*(one.reshape(-1) for one in gradients), torch.stack(totals).detach()])


def add_and_clip(spec: TrainingSpec, buffer: Tensor, allreduce: Allreduce) -> Tensor:
    """Sum the ranks' buffers, and clip the gradient, in place.

    Returns:
        The global batch's sums of objective, rate and distortion, and the gradient's norm before
        clipping, shape (4,), on the device: nothing here waits for it.
    """
    allreduce(buffer)
    gradient = buffer[:-3]
    norm = gradient.norm()
    if spec.gradient_clip is not None:
        gradient.mul_((spec.gradient_clip / norm).clamp(max=1))
    return torch.cat([buffer[-3:], norm[None]])
