"""One optimisation step on a rank's share of a global batch."""

import itertools
from collections.abc import Callable
from dataclasses import dataclass

import torch
from torch import Tensor

from elboflow.vae.model.networks import VAE
from elboflow.vae.spec import TrainingSpec
from elboflow.vae.training.objectives import objective

Allreduce = Callable[[Tensor], None]
"""Sums a tensor over all ranks, in place."""


@dataclass(frozen=True)
class Sums:
    """Sums over images in nats, and the number of images."""

    objective: float
    rate: float
    distortion: float
    images: int

    def __add__(self, other: "Sums") -> "Sums":
        return Sums(
            self.objective + other.objective,
            self.rate + other.rate,
            self.distortion + other.distortion,
            self.images + other.images,
        )


NOTHING = Sums(0.0, 0.0, 0.0, 0)


class FlatParameters:
    """All parameters in one tensor, all gradients in one buffer: a step needs one allreduce.

    The buffer ends in three more slots, for the batch's sums of objective, rate and distortion:
    every rank then knows the same totals, takes the same decisions, and can save them at any step.
    (They have the gradient's precision, 1e-7 of a batch's sum in float32; sums over batches, and
    validation and evaluation altogether, are float64.)
    """

    def __init__(self, vae: VAE) -> None:
        parameters = list(vae.parameters())
        bounds = list(itertools.accumulate((p.numel() for p in parameters), initial=0))
        self.places = {
            name: (start, stop, parameter.shape)
            for (name, parameter), (start, stop) in zip(
                vae.named_parameters(), itertools.pairwise(bounds), strict=True
            )
        }
        values = torch.cat([parameter.detach().reshape(-1) for parameter in parameters])
        self.buffer = values.new_zeros(bounds[-1] + 3)
        self.values = torch.nn.Parameter(values)
        self.values.grad = self.buffer[:-3]
        for parameter, (start, stop, shape) in zip(parameters, self.places.values(), strict=True):
            parameter.data = values[start:stop].view(shape)
            parameter.grad = self.buffer[start:stop].view(shape)

    @property
    def gradient(self) -> Tensor:
        return self.buffer[:-3]

    def by_name(self, values: Tensor) -> dict[str, Tensor]:
        """Copies of the single parameters in a tensor of all of them: a state_dict."""
        return {
            name: values[start:stop].view(shape).clone()
            for name, (start, stop, shape) in self.places.items()
        }


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


def beta_at(spec: TrainingSpec, passes: float) -> float:
    """The KL's weight after some passes over the data: linear warm-up from 0, then `beta`."""
    if passes >= spec.warmup_epochs:
        return spec.beta
    return spec.beta * passes / spec.warmup_epochs


def learning_rate_at(spec: TrainingSpec, passes: float) -> float:
    """The learning rate after some passes over the data.

    `iwae` is the staircase of Burda et al., arXiv:1509.00519, section 5: stage i = 0 .. 7 lasts
    3^i passes at learning_rate x 10^(-i/7); all 3280 passes are scaled to `epochs`.
    """
    if spec.schedule == "constant":
        return spec.learning_rate
    done = passes / spec.epochs * 3280
    stage = next((i for i in range(8) if done < (3 ** (i + 1) - 1) / 2), 7)
    return spec.learning_rate * 10 ** (-stage / 7)
